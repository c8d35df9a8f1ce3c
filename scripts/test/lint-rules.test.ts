import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { root } from '../repository.ts'

// The linter's configuration is code like other code: each rule that style depends on is shown a file that breaks it.

const broken: [what: string, file: string, text: string, rule: string][] = [
  ['core imports another package of ours', 'packages/core/src/a.ts', "import '@sluice/ws'", 'no-restricted-imports'],
  [
    "core's bus imports graphql",
    'packages/core/src/bus/a.ts',
    "import { parse } from 'graphql'",
    'no-restricted-imports',
  ],
  [
    "core's bus imports another stage",
    'packages/core/src/bus/a.ts',
    "import { b } from '../scope/b.ts'",
    'no-restricted-imports',
  ],
  [
    "core's bus imports another file of core",
    'packages/core/src/bus/a.ts',
    "import { b } from '../metrics.ts'",
    'no-restricted-imports',
  ],
  [
    'a test of core imports what its folder does not have',
    'packages/core/src/scope/__tests__/a.test.ts',
    "import { a } from '@sluice/testkit'",
    'no-restricted-imports',
  ],
  [
    'a bus imports graphql',
    'packages/redis/src/a.ts',
    "import type { GraphQLError } from 'graphql'",
    'no-restricted-imports',
  ],
  [
    'a bus imports a host plugin',
    'packages/postgres/src/a.ts',
    "import { a } from '@sluice/yoga'",
    'no-restricted-imports',
  ],
  [
    'a transport imports a host plugin',
    'packages/ws/src/a.ts',
    "import { a } from '@sluice/envelop'",
    'no-restricted-imports',
  ],
  [
    'a host plugin imports a bus',
    'packages/yoga/src/a.ts',
    "import { a } from '@sluice/redis'",
    'no-restricted-imports',
  ],
  [
    'a host plugin imports the testkit',
    'packages/yoga/src/a.ts',
    "import { a } from '@sluice/testkit'",
    'no-restricted-imports',
  ],
  ['envelop imports yoga', 'packages/envelop/src/a.ts', "import { a } from '@sluice/yoga'", 'no-restricted-imports'],
  [
    'an example imports the testkit',
    'examples/yoga-memory/src/a.ts',
    "import { a } from '@sluice/testkit'",
    'no-restricted-imports',
  ],
  [
    'a cycle',
    'packages/core/src/scope/loop.ts',
    "import type { b } from './b.ts'\nexport const a: typeof b = 1",
    'no-cycle',
  ],
  ['a default export', 'packages/ws/src/a.ts', 'export default 1', 'no-default-export'],
  ['console in a package', 'packages/ws/src/a.ts', "console.log('a')", 'no-console'],
  ['any', 'packages/ws/src/a.ts', 'export const a: any = 1', 'no-explicit-any'],
  ['@ts-ignore', 'packages/ws/src/a.ts', '// @ts-ignore: because\nexport const a: number = 1', 'ban-ts-comment'],
  [
    '@ts-expect-error',
    'packages/ws/src/a.ts',
    '// @ts-expect-error: because\nexport const a: number = 1',
    'ban-ts-comment',
  ],
  ['a floating promise', 'packages/ws/src/a.ts', 'async function a(): Promise<void> {}\na()', 'no-floating-promises'],
  [
    'a floating promise in a test',
    'packages/ws/src/__tests__/a.test.ts',
    'async function a(): Promise<void> {}\na()',
    'no-floating-promises',
  ],
  [
    'a skipped test',
    'packages/ws/src/__tests__/a.test.ts',
    "import { it } from 'vitest'\nit.skip('a', () => {})",
    'no-disabled-tests',
  ],
  [
    'a focused test',
    'packages/ws/src/__tests__/a.test.ts',
    "import { it } from 'vitest'\nit.only('a', () => {})",
    'no-focused-tests',
  ],
  [
    'a test to be written',
    'packages/ws/src/__tests__/a.test.ts',
    "import { it } from 'vitest'\nit.todo('a')",
    'warn-todo',
  ],
]

const fine: [what: string, file: string, text: string][] = [
  [
    "core's bus imports its own files and errors.ts",
    'packages/core/src/bus/a.ts',
    "import { b } from './b.ts'\nimport { c } from '../errors.ts'\nexport const a = [b, c]",
  ],
  [
    "a test of core's bus imports the bus and core",
    'packages/core/src/bus/__tests__/a.test.ts',
    "import fc from 'fast-check'\nimport { readFile } from 'node:fs/promises'\nimport { b } from '../b.ts'\nimport { c } from '../../scope/b.ts'\nexport const a = [fc, readFile, b, c]",
  ],
  [
    'a test imports the testkit',
    'packages/yoga/src/__tests__/a.test.ts',
    "import { a } from '@sluice/testkit'\nexport const b: unknown = a",
  ],
  [
    'a type test expects an error',
    'packages/ws/src/__tests__/a.test-d.ts',
    "// @ts-expect-error: a string is no number\nexport const a: number = 'a'",
  ],
  ['an example prints', 'examples/yoga-memory/src/a.ts', "console.log('a')"],
]

describe('the linter', () => {
  let folder: string
  let report: string[]

  // One run over all of them: each case is a file of its own.
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-lint-'))
    for (const name of [
      '.oxlintrc.json',
      'tsconfig.base.json',
      'tsconfig.build.json',
      'tsconfig.json',
      'tsconfig.test.json',
    ]) {
      cpSync(join(root, name), join(folder, name))
    }
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction')
    const { references } = JSON.parse(readFileSync(join(root, 'tsconfig.build.json'), 'utf8')) as {
      references: { readonly path: string }[]
    }
    for (const { path } of references)
      write(`${path}/tsconfig.json`, readFileSync(join(root, path, 'tsconfig.json'), 'utf8'))
    write('packages/core/src/scope/b.ts', "import type { a } from './loop.ts'\nexport const b = 1 as typeof a | 1\n")
    write('packages/core/src/bus/b.ts', 'export const b = 1\n')
    write('packages/core/src/errors.ts', 'export const c = 1\n')
    for (const [what, file, text] of [...broken, ...fine]) write(fileOf(what, file), `${text}\n`)
    report = await lint()
  })
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  /** `src/a.test.ts` becomes `src/<what is shown>.test.ts`; other names stay. */
  function fileOf(what: string, file: string): string {
    return file.replace(/\/a\./, `/${what.toLowerCase().replace(/[^a-z]+/g, '-')}.`)
  }

  function write(name: string, text: string): void {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }

  function lint(): Promise<string[]> {
    const cli = join(root, 'node_modules/oxlint/bin/oxlint')
    return new Promise((resolve) => {
      execFile(process.execPath, [cli, '--format=unix'], { cwd: folder }, (_error, stdout) =>
        resolve(stdout.split('\n')),
      )
    })
  }

  it.each(broken)('reports %s', (what, file, _text, rule) => {
    const lines = report.filter((line) => line.startsWith(`${fileOf(what, file)}:`))
    expect(lines.join('\n')).toContain(`(${rule})`)
  })

  it.each(fine)('says nothing when %s', (what, file) => {
    expect(report.filter((line) => line.startsWith(`${fileOf(what, file)}:`))).toEqual([])
  })
})
