import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/**
 * What children are run from. Figures are only those of what is built: the sources are there for tests, which need no build
 * then, but tsx makes other code of them than the compiler.
 */
export type Launch = 'built' | 'source'

export type ProcessName =
  | 'server-process'
  | 'client-process'
  | 'in-process'
  | 'redis-instance-process'
  | 'redis-client-process'

const folder = fileURLToPath(new URL('../..', import.meta.url))

/** Starts one of the processes of this folder. It ends with its parent. */
export function launch(name: ProcessName, from: Launch): ChildProcess {
  const isBuilt = from === 'built'
  return fork(`${folder}${isBuilt ? 'dist' : 'src'}/processes/${name}.${isBuilt ? 'js' : 'ts'}`, [], {
    cwd: folder,
    execArgv: ['--expose-gc', ...(isBuilt ? [] : ['--conditions=@sluice/source', '--import', 'tsx'])],
    env: environment(),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
}

/** As in production, and without what changes how Node runs: a test runner sets that for itself. */
function environment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, NODE_V8_COVERAGE: _coverage, ...others } = process.env
  return { ...others, NODE_ENV: 'production' }
}
