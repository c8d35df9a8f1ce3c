import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = new URL('../../../', import.meta.url)

/** The demo as `npm run demo` starts it, in a process of its own. */
export interface DemoProcess {
  /** Everything that it printed so far. */
  output(): string
  /** Resolves with the board's URL once it is printed; rejects if the process ends before that. */
  readonly url: Promise<string>
  /** Its exit code, or the signal that ended it, and all that it printed. */
  readonly end: Promise<{ readonly code: number | NodeJS.Signals; readonly output: string }>
  kill(signal: NodeJS.Signals): void
  [Symbol.asyncDispose](): Promise<void>
}

export function startDemo(...args: string[]): DemoProcess {
  const { scripts } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { scripts: { demo: string } }
  const [, ...flags] = scripts.demo.split(' ')
  const child = spawn(process.execPath, [...flags, ...args], {
    cwd: fileURLToPath(root),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const end = new Promise<Awaited<DemoProcess['end']>>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code: code ?? signal ?? 'SIGKILL', output }))
  })
  const url = new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
        const printed = /board\s+(http:\S+)/.exec(output)?.[1]
        if (printed) resolve(printed)
      })
    }
    void end.then(({ code }) => reject(new Error(`The demo ended (${code}) and printed:\n${output}`)), reject)
  })
  // Whoever only waits for the end need not wait for the URL.
  url.catch(() => {})

  return {
    output: () => output,
    url,
    end,
    kill: (signal) => void child.kill(signal),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await end
    },
  }
}
