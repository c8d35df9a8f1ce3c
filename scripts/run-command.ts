import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:os'

export interface RunOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** `'pipe'` collects what the command prints, `'inherit'` shows it. @default 'inherit' */
  readonly output?: 'inherit' | 'pipe'
}

export interface Finished {
  readonly code: number
  /** What it printed, standard output and error together; empty unless `output` is `'pipe'`. */
  readonly text: string
}

const running = new Set<ChildProcess>()

// A script that ends for whatever reason takes its commands with it, at once, for the folders they write to are removed
// next; and an interrupted script ends through process.exit, so that this holds then too.
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => process.exit(128 + constants.signals[signal]))
}

/**
 * Runs a command without a shell and resolves when it has ended, whatever its exit code.
 * Rejects if it cannot be started at all.
 */
export function runCommand(command: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const { cwd, env = process.env, output = 'inherit' } = options
  return new Promise((resolve, reject) => {
    const stdio = output === 'pipe' ? 'pipe' : 'inherit'
    const child = spawn(command, args, { ...(cwd !== undefined && { cwd }), env, stdio: ['ignore', stdio, stdio] })
    running.add(child)
    let text = ''
    const collect = (chunk: Buffer): void => {
      text += chunk.toString()
    }
    child.stdout?.on('data', collect)
    child.stderr?.on('data', collect)
    child.once('error', (error) => {
      running.delete(child)
      reject(error)
    })
    child.once('close', (code, signal) => {
      running.delete(child)
      resolve({ code: code ?? (signal === null ? 1 : 128 + constants.signals[signal]), text })
    })
  })
}

/** As {@link runCommand}, quietly: throws with what the command printed if it failed. */
export async function mustRun(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, text } = await runCommand(command, args, { ...options, output: 'pipe' })
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with exit code ${code}\n${text}`)
  return text
}

/** The command line of the npm that runs us: on Windows `npm` itself is no program that can be spawned. */
export function npm(...args: string[]): [command: string, args: string[]] {
  const cli = process.env['npm_execpath']
  return cli?.endsWith('.js') ? [process.execPath, [cli, ...args]] : ['npm', args]
}
