import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../../..', import.meta.url))
const tsc = join(createRequire(import.meta.url).resolve('typescript/package.json'), '../bin/tsc')
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-declarations-')))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const user = `
import type { SubscriptionExecutor } from '@sluice/core'
import { collectMetrics, type ExecutorMetrics, type MetricsOptions, type MetricsRegistry } from '@sluice/prometheus'

export function start(executor: SubscriptionExecutor, options: MetricsOptions): Promise<{ body: string }> {
  const metrics: ExecutorMetrics = collectMetrics(executor, options)
  const registry: MetricsRegistry = metrics.registry
  return registry.getSingleMetric('a') === undefined ? metrics.render() : Promise.resolve({ body: '' })
}
`

test('the declarations compile in a project that has no prom-client', async () => {
  const modules = join(folder, 'node_modules')
  for (const name of ['graphql', 'valibot', '@types/node', 'undici-types']) {
    mkdirSync(dirname(join(modules, name)), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), join(modules, name), 'junction')
  }
  await writeDeclarations(join(modules, '@sluice'), ['core', 'prometheus'])
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }))
  writeFileSync(join(folder, 'user.ts'), user)
  // Libraries are checked here: a type that is not to be found would be `any` otherwise.
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2023', 'esnext.disposable'],
    module: 'nodenext',
    types: ['node'],
    strict: true,
    skipLibCheck: false,
    noEmit: true,
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['user.ts'] }))
  expect(await runTsc('-p', folder)).toBe('')
})

/** As `npm run build` writes them, but of the sources as they are. */
async function writeDeclarations(outDir: string, packages: readonly string[]): Promise<void> {
  const src = packages.map((name) => join(root, 'packages', name, 'src'))
  const compilerOptions = {
    composite: false,
    declaration: true,
    declarationMap: false,
    emitDeclarationOnly: true,
    noCheck: true, // that is for `npm run types`
    rootDir: join(root, 'packages'),
    outDir,
  }
  const config = join(folder, 'declarations.json')
  const exclude = src.map((path) => join(path, '**/__tests__'))
  const base = join(root, 'tsconfig.base.json')
  writeFileSync(config, JSON.stringify({ extends: base, compilerOptions, include: src, exclude }))
  expect(await runTsc('-p', config)).toBe('')
  for (const name of packages) {
    const manifest = { name: `@sluice/${name}`, type: 'module', exports: { '.': { types: './src/index.d.ts' } } }
    writeFileSync(join(outDir, name, 'package.json'), JSON.stringify(manifest))
  }
}

/** What tsc says: nothing, if all is well. */
function runTsc(...args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(process.execPath, [tsc, ...args, '--pretty', 'false'], { cwd: folder }, (error, stdout, stderr) => {
      resolve(error === null ? '' : `${stdout}${stderr}` || error.message)
    })
  })
}
