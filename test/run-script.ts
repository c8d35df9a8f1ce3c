import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { until } from '@sluice/testkit'

/** A server of the documentation, in a process of its own. */
export interface RunningScript extends AsyncDisposable {
  readonly url: string
  /** Its exit code, or the signal that ended it. */
  readonly exit: Promise<number | NodeJS.Signals>
  kill(signal: NodeJS.Signals): void
}

/** Runs a script with the packages of this repository; resolves when it listens on the port that it was given. */
export async function startScript(script: string): Promise<RunningScript> {
  const port = await freePort()
  const child = spawn(
    process.execPath,
    ['--conditions=@sluice/source', '--import', 'tsx', '--input-type=module', '-'],
    {
      cwd: fileURLToPath(new URL('.', import.meta.url)),
      env: { ...process.env, PORT: String(port), NODE_ENV: 'development' },
      stdio: ['pipe', 'inherit', 'inherit'],
    },
  )
  child.stdin.end(script)
  const exit = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals)
  const url = `http://127.0.0.1:${port}`
  const listens = (): Promise<boolean> =>
    fetch(url).then(
      async (response) => {
        await response.arrayBuffer()
        return true
      },
      () => false,
    )
  await until(async () => child.exitCode !== null || (await listens()), 'the server listens')
  if (child.exitCode !== null) throw new Error(`the script ended with ${child.exitCode}`)
  return {
    url,
    exit,
    kill: (signal) => void child.kill(signal),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await exit
    },
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (typeof address !== 'object' || address === null) throw new Error('There is no free port.')
  return address.port
}
