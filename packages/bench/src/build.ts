import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** Brings `dist` of all packages up to date, which takes no time where it is. @throws Error with what the compiler said */
export function build(): void {
  const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc')
  const { status, stdout, stderr, error } = spawnSync(process.execPath, [compiler, '-b', 'tsconfig.build.json'], {
    cwd: root,
    encoding: 'utf8',
  })
  if (error !== undefined) throw new Error(`The compiler could not be started: ${error.message}`, { cause: error })
  if (status !== 0) throw new Error(`The packages cannot be built, so there is nothing to measure.\n${stdout}${stderr}`)
}
