import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A Redis server of the example's own, which keeps its data in a file. */
export interface RedisProcess {
  readonly url: string
  /** `kill -9` */
  kill(): Promise<void>
  /** With the data that it had. */
  start(): Promise<void>
  stop(): Promise<void>
}

/** Starts Redis on a free port. Rejects if there is no such program. */
export async function startRedis(): Promise<RedisProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-demo-'))
  const port = await freePort()
  const program = process.env['REDIS_SERVER_PATH'] ?? 'redis-server'
  const network = ['--port', String(port), '--bind', '127.0.0.1']
  const files = ['--dir', folder, '--save', '', '--appendonly', 'yes', '--appendfsync', 'always']
  let running: ChildProcess | undefined

  const start = async (): Promise<void> => {
    running = await startProcess(program, [...network, ...files], /Ready to accept connections/)
  }
  const kill = async (): Promise<void> => {
    await end(running, 'SIGKILL')
    running = undefined
  }
  await start()
  return {
    url: `redis://127.0.0.1:${port}`,
    kill,
    start,
    async stop() {
      await kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Rejects if somebody else listens on the port. */
export async function expectFree(port: number): Promise<void> {
  const probe = createServer()
  try {
    await once(probe.listen(port), 'listening')
  } catch {
    throw new Error(`Port ${port} is in use. Stop what runs there, or give another: npm run demo:redis -- --port 5000`)
  }
  await once(probe.close(), 'close')
}

/** One instance of the server. */
export interface InstanceProcess {
  readonly name: string
  readonly url: string
  /** Asks it to end; resolves with its exit code. */
  stop(): Promise<number | null>
}

/** Starts an instance in a process of its own. */
export async function startInstance(name: string, redisUrl: string, port: number): Promise<InstanceProcess> {
  const flags = ['--conditions=@sluice/source', '--import', 'tsx']
  const program = fileURLToPath(new URL('instance.ts', import.meta.url))
  let url = ''
  const child = await startProcess(
    process.execPath,
    [...flags, program, redisUrl, String(port), name],
    /listening on (\S+)/,
    (match) => {
      url = match[1] ?? ''
    },
  )
  return { name, url, stop: () => end(child, 'SIGTERM') }
}

/** Resolves when what it prints matches; rejects with what it printed if it ends before. */
function startProcess(
  program: string,
  args: readonly string[],
  isReady: RegExp,
  onReady: (match: RegExpExecArray) => void = () => {},
): Promise<ChildProcess> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const killNow = (): void => void child.kill('SIGKILL')
  process.once('exit', killNow)
  child.once('exit', () => process.removeListener('exit', killNow))
  return new Promise((resolve, reject) => {
    let printed = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        printed += chunk.toString()
        const match = isReady.exec(printed)
        if (match === null) return
        onReady(match)
        resolve(child)
      })
    }
    child.once('error', (cause) => reject(new Error(`${program} cannot be started: ${cause.message}`, { cause })))
    child.once('exit', (code) => reject(new Error(`${program} ended with exit code ${code}:\n${printed}`)))
  })
}

async function end(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<number | null> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null
  const exited = once(child, 'exit')
  child.kill(signal)
  const [code] = (await exited) as [number | null]
  return code
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
