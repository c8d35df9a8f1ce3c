import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { generateResolverTypes } from './generate-resolver-types.ts'

// The files in types/ are compiled as in a user's project: against the declarations of our packages (of the sources
// as they are, not of a dist/ that may be old) and what codegen writes. Where a type is registered is a program of
// its own, for a registration holds everywhere in a program.

const root = fileURLToPath(new URL('../../..', import.meta.url))
const fixtures = fileURLToPath(new URL('types', import.meta.url))
const tsc = join(createRequire(import.meta.url).resolve('typescript/package.json'), '../bin/tsc')
const packages = ['core', 'ws', 'sse', 'prometheus', 'envelop', 'yoga', 'apollo']

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-types-')))
const project = join(folder, 'project')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

beforeAll(async () => {
  // Ours are found in the project's own node_modules, everything else one folder up.
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction')
  cpSync(fixtures, project, { recursive: true })
  writeFileSync(join(project, 'package.json'), JSON.stringify({ type: 'module' }))
  await writeDeclarations(join(project, 'node_modules/@sluice'))
  await writeResolverTypes(join(project, 'generated'))
})

const common = {
  target: 'es2022',
  module: 'nodenext',
  noEmit: true,
  skipLibCheck: true,
  allowImportingTsExtensions: true,
}
const everyCheck = { strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true }

describe.each([
  ['strict', { strict: true }],
  ['stricter still', everyCheck],
])('the types of fromChannel, publish and the options, in a project that is %s,', (_, strictness) => {
  it('infer from codegen and from the schema builders', async () => {
    expect(await compile('unregistered', { ...common, ...strictness, types: ['node'] })).toBe('')
  })

  it('follow what is registered', async () => {
    expect(await compile('registered', { ...common, ...strictness, types: ['node'] })).toBe('')
  })
})

/** What tsc says: nothing, if all is well. */
function compile(name: string, compilerOptions: object): Promise<string> {
  const config = join(project, name, 'tsconfig.json')
  writeFileSync(config, JSON.stringify({ compilerOptions, include: ['.'] }))
  return runTsc('-p', config)
}

async function writeDeclarations(outDir: string): Promise<void> {
  const config = join(folder, 'declarations.json')
  const src = packages.map((name) => join(root, 'packages', name, 'src'))
  writeFileSync(
    config,
    JSON.stringify({
      extends: join(root, 'tsconfig.base.json'),
      compilerOptions: {
        composite: false,
        declaration: true,
        declarationMap: false,
        emitDeclarationOnly: true,
        noCheck: true, // that is for `npm run types`
        rootDir: join(root, 'packages'),
        outDir,
      },
      include: src,
      exclude: src.map((path) => join(path, '**/__tests__')),
    }),
  )
  expect(await runTsc('-p', config)).toBe('')
  for (const name of packages) {
    const manifest = { name: `@sluice/${name}`, type: 'module', exports: { '.': { types: './src/index.d.ts' } } }
    writeFileSync(join(outDir, name, 'package.json'), JSON.stringify(manifest))
  }
}

async function writeResolverTypes(outDir: string): Promise<void> {
  const typeDefs = readFileSync(join(fixtures, 'schema.graphql'), 'utf8')
  mkdirSync(outDir)
  const write = async (name: string, config: Record<string, unknown>) =>
    writeFileSync(join(outDir, name), await generateResolverTypes(typeDefs, { useTypeImports: true, ...config }))
  const mappers = { Order: '../models.ts#OrderModel' }
  await write('resolvers.ts', { contextType: '../models.ts#AppContext', mappers, scalars: { DateTime: 'Date' } })
  // As codegen writes it when it is told nothing: enums as enums, `any` for the context, types of the schema.
  await write('plain-resolvers.ts', {})
  await write('literal-resolvers.ts', { enumsAsTypes: true, mappers, inputMaybeValue: 'T | undefined' })
}

function runTsc(...args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(process.execPath, [tsc, ...args, '--pretty', 'false'], { cwd: project }, (error, stdout, stderr) => {
      resolve(error === null ? '' : `${stdout}${stderr}` || error.message)
    })
  })
}
