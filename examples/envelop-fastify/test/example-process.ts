import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = new URL('../../../', import.meta.url)

/** The example as `npm run example:envelop` starts it, in a process of its own. */
export interface ExampleProcess {
  /** Resolves with everything that it printed as soon as it invites to try it; rejects if it ends before that. */
  readonly invitation: Promise<string>
  /** Its exit code, or the signal that ended it, and all that it printed. */
  readonly end: Promise<{ readonly code: number | NodeJS.Signals; readonly output: string }>
  kill(signal: NodeJS.Signals): void
  [Symbol.asyncDispose](): Promise<void>
}

export function startExample(...args: string[]): ExampleProcess {
  const { scripts } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
    scripts: { 'example:envelop': string }
  }
  const [, ...flags] = scripts['example:envelop'].split(' ')
  const child = spawn(process.execPath, [...flags, ...args], {
    cwd: fileURLToPath(root),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const end = new Promise<Awaited<ExampleProcess['end']>>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code: code ?? signal ?? 'SIGKILL', output }))
  })
  const invitation = new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
        if (output.includes('Ctrl+C')) resolve(output)
      })
    }
    void end.then(({ code }) => reject(new Error(`The example ended (${code}) and printed:\n${output}`)), reject)
  })
  // Whoever only waits for the end need not wait for the invitation.
  invitation.catch(() => {})

  return {
    invitation,
    end,
    kill: (signal) => void child.kill(signal),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await end
    },
  }
}
