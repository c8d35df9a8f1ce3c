import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkSources } from '../check-sources.ts'

describe('the house rules for sources', () => {
  let folder: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-sources-'))
  })
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  function write(name: string, text: string): void {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }

  it('have nothing to say about stages that import one way', () => {
    write('packages/core/src/errors.ts', 'export class SluiceError extends Error {}\n')
    write('packages/core/src/bus/event-bus.ts', "import { SluiceError } from '../errors.ts'\nexport { SluiceError }\n")
    write('packages/core/src/routing/route.ts', "import type { SluiceError } from '../bus/event-bus.ts'\n")
    write('packages/core/src/executor.ts', "import '../src/routing/route.ts'\nimport './bus/event-bus.ts'\n")
    expect(checkSources(folder)).toEqual([])
  })

  it('report export * with its line, and leave a named namespace alone', () => {
    write(
      'packages/ws/src/index.ts',
      "export { a } from './a.ts'\nexport * from './b.ts'\nexport * as c from './c.ts'\n",
    )
    expect(checkSources(folder)).toEqual(['packages/ws/src/index.ts:2: no export *: list the names'])
  })

  it('report a file called utils.ts', () => {
    write('examples/yoga-memory/src/utils.ts', 'export const a = 1\n')
    expect(checkSources(folder)).toEqual([
      'examples/yoga-memory/src/utils.ts: no utils.ts: name the file after what it exports',
    ])
  })

  it('report stages of core that import each other, also by types and over a third', () => {
    write('packages/core/src/scope/a.ts', "import type { B } from '../channel/b.ts'\n")
    write('packages/core/src/channel/b.ts', "export type { C } from '../routing/c.ts'\n")
    write('packages/core/src/routing/c.ts', "import { a } from '../scope/other.ts'\n")
    expect(checkSources(folder)).toEqual([
      expect.stringMatching(/^packages\/core\/src: the stages import each other: (scope|channel|routing) -> /),
    ])
  })

  it('leave tests of core out of the graph of stages', () => {
    write('packages/core/src/scope/__tests__/a.test.ts', "import { b } from '../../channel/b.ts'\n")
    write('packages/core/src/channel/b.ts', "import { a } from '../scope/a.ts'\n")
    expect(checkSources(folder)).toEqual([])
  })
})
