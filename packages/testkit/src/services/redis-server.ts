import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.ts'

/** A real `redis-server` of a test's own, on the loopback interface. */
export interface RedisServer {
  readonly port: number
  /** `redis://127.0.0.1:<port>` */
  readonly url: string
  /** The process; `undefined` while it is not running. */
  readonly pid: number | undefined
  /** Starts it again on the same port, after {@link RedisServer.kill}. What it held is gone, unless `args` say otherwise. */
  start(): Promise<void>
  /** `kill -9`; resolves when it is dead. */
  kill(): Promise<void>
  /** SIGSTOP: it is there, and does not answer. */
  pause(): void
  resume(): void
  /** Ends it for good and removes its files. */
  stop(): Promise<void>
}

export interface RedisServerOptions {
  /** More arguments for the program, such as `--cluster-enabled yes`. */
  readonly args?: readonly string[]
  /** @default one that is free */
  readonly port?: number
}

const advice = `The tests need redis-server 7 or later, and none was found. One of these helps:
  - run them with \`npm test\`, which installs it where it may (as root on Debian and Ubuntu)
  - Debian, Ubuntu:  sudo apt-get install -y redis-server
  - macOS:           brew install redis
  - anywhere:        set REDIS_SERVER_PATH to the program's path`

/**
 * Starts a server without persistence and resolves when it accepts connections. It ends with this process at the latest.
 *
 * @throws Error that says how to install the program, if there is none.
 */
export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-redis-'))
  const port = options.port ?? (await freePort())
  let running: ChildProcess | undefined

  const killNow = (): void => void running?.kill('SIGKILL')
  process.once('exit', killNow)

  async function start(): Promise<void> {
    const program = process.env['REDIS_SERVER_PATH'] ?? 'redis-server'
    const args = [...settings(port, folder), ...(options.args ?? [])]
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    running = child
    let printed = ''
    await new Promise<void>((resolve, reject) => {
      const read = (chunk: Buffer): void => {
        printed += chunk.toString()
        if (printed.includes('Ready to accept connections')) resolve()
      }
      child.stdout.on('data', read)
      child.stderr.on('data', read)
      child.once('error', (cause) => reject(new Error(advice, { cause })))
      child.once('exit', (code) => reject(new Error(`redis-server ended with exit code ${code}:\n${printed}`)))
    })
  }

  async function kill(): Promise<void> {
    const child = running
    running = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }

  await start()
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    get pid() {
      return running?.pid
    },
    start,
    kill,
    pause: () => void running?.kill('SIGSTOP'),
    resume: () => void running?.kill('SIGCONT'),
    async stop() {
      await kill()
      process.removeListener('exit', killNow)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** No persistence, and replicas that do not wait for others before they begin. */
function settings(port: number, folder: string): string[] {
  const network = ['--port', String(port), '--bind', '127.0.0.1', '--protected-mode', 'no']
  const files = ['--dir', folder, '--save', '', '--appendonly', 'no']
  return [...network, ...files, '--repl-diskless-sync-delay', '0']
}
