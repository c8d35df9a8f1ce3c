// Core's tests on every supported graphql. In the workspace a linked core always finds the root's graphql, so this
// happens outside it: a folder like a user's, with the packed @sluice/core and one version of graphql after the other.
// Run after a build: tsx scripts/test-graphql-versions.ts [version …]
import { cpSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { readManifest, root } from './repository.ts'
import { mustRun, npm, runCommand } from './run-command.ts'
import { temporaryFolder } from './temporary-folder.ts'
import { vitestRun } from './vitest-run.ts'

const versions = process.argv.length > 2 ? process.argv.slice(2) : ['16.11.0', '16.15.0', '17.1.0']
const core = join(root, 'packages/core')
const installOptions = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error', '--save-exact']

const folder = temporaryFolder('graphql')
await layOut()
const summaries: string[] = []
for (const version of versions) {
  const { passed, line } = await testWith(version)
  summaries.push(line)
  if (!passed) process.exitCode = 1
}
console.log(`\n${summaries.join('\n')}`)

/** Core's packed sources with its tests beside them, so that `../x.ts` in a test is the packed file. */
async function layOut(): Promise<void> {
  await mustRun(...npm('pack', '--silent', '--pack-destination', folder), { cwd: core })
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))
  if (tarball === undefined) throw new Error('npm pack wrote no tarball')

  const { devDependencies = {}, overrides } = readManifest(root)
  const tools = ['@types/node', 'fast-check', 'typescript', 'vite', 'vitest']
  write('package.json', {
    name: 'sluice-on-a-graphql-version',
    private: true,
    type: 'module',
    dependencies: { '@sluice/core': `file:./${tarball}`, graphql: versions[0] },
    devDependencies: Object.fromEntries(tools.map((name) => [name, devDependencies[name]])),
    overrides,
  })
  await mustRun(...npm('install', ...installOptions), { cwd: folder })

  cpSync(join(folder, 'node_modules/@sluice/core/src'), join(folder, 'src'), { recursive: true })
  const inTests = (path: string): boolean => statSync(path).isDirectory() || path.includes(`${sep}__tests__${sep}`)
  cpSync(join(core, 'src'), join(folder, 'src'), { recursive: true, filter: inTests })

  const { compilerOptions } = JSON.parse(readFileSync(join(root, 'tsconfig.base.json'), 'utf8')) as {
    compilerOptions: Record<string, unknown>
  }
  write('tsconfig.json', {
    compilerOptions: {
      ...compilerOptions,
      composite: false,
      declarationMap: false,
      isolatedDeclarations: false,
      sourceMap: false,
      noEmit: true,
    },
    include: ['src'],
    exclude: ['**/__tests__'],
  })
  write(
    'vitest.config.ts',
    `export default {
  test: {
    include: ['src/**/__tests__/**/*.test.ts'],
    setupFiles: ['./expect-graphql-version.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    execArgv: ['--expose-gc'],
  },
}
`,
  )
  write(
    'expect-graphql-version.ts',
    `import { version } from 'graphql'
const expected = process.env['EXPECTED_GRAPHQL']
if (version !== expected) throw new Error(\`these tests loaded graphql \${version} instead of \${expected}\`)
`,
  )
  // What a user gets, without our own conditions: the built files.
  write(
    'use.mjs',
    `import { version } from 'graphql'
import * as core from '@sluice/core'
if (version !== process.env['EXPECTED_GRAPHQL']) throw new Error(\`loaded graphql \${version}\`)
if (Object.keys(core).length === 0) throw new Error('@sluice/core exports nothing')
`,
  )
}

async function testWith(version: string): Promise<{ passed: boolean; line: string }> {
  const env = { ...process.env, EXPECTED_GRAPHQL: version }
  // npm refuses the version here if core's peer range does not allow it.
  await mustRun(...npm('install', ...installOptions, `graphql@${version}`), { cwd: folder })
  const use = await runCommand(process.execPath, ['use.mjs'], { cwd: folder, env })
  if (use.code !== 0) return { passed: false, line: `graphql ${version}: the built package cannot be imported` }
  const tsc = join(folder, 'node_modules/typescript/bin/tsc')
  const types = await runCommand(process.execPath, [tsc, '-p', '.'], { cwd: folder })
  const { code, summary, passedCount } = await vitestRun(folder, [], env)
  const line = `graphql ${version}: ${summary ?? 'vitest wrote no report'}`
  if (types.code !== 0) return { passed: false, line: `${line}; the types of core's sources do not fit, see above` }
  return { passed: code === 0 && passedCount > 0, line }
}

function write(name: string, content: string | object): void {
  const text = typeof content === 'string' ? content : `${JSON.stringify(content, null, 2)}\n`
  writeFileSync(join(folder, name), text)
}
