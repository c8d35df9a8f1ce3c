import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '@sluice/testkit'
import pg from 'pg'
import { embeddedBinaries, type PostgresBinaries, user } from './postgres-binaries.ts'

/** A server of a test's own, on a free port of the loopback. */
export interface PostgresServer {
  readonly port: number
  /** The connection string of a database; `through` is the port of a proxy. */
  url(database?: string, through?: number): string
  /** A connected client; the caller ends it. */
  connect(database?: string): Promise<pg.Client>
  /** Runs one statement on a connection of its own. */
  query<T extends object>(text: string, values?: unknown[]): Promise<T[]>
  /** Kills the postmaster without a word; its children end by themselves. Resolves when all of them are gone. */
  kill(): Promise<void>
  /** Starts it again on the same data and port. */
  start(): Promise<void>
  /** Ends it and deletes its data. */
  stop(): Promise<void>
}

export interface PostgresServerOptions {
  readonly binaries?: PostgresBinaries
  /** Settings of postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>
  /** Whether commits are flushed to the disk; a killed process does not need it. @default false */
  readonly isSynced?: boolean
}

const startTimeoutMs = 30_000

export async function startPostgres(options: PostgresServerOptions = {}): Promise<PostgresServer> {
  const { binaries = await embeddedBinaries(), settings = {}, isSynced = false } = options
  const folder = mkdtempSync(join(tmpdir(), 'sluice-postgres-data-'))
  if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid)
  const data = join(folder, 'data')
  await run(binaries.initdb, ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'])
  const port = await freePort()
  const config: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    fsync: isSynced ? 'on' : 'off',
    max_connections: '200',
    shared_buffers: '64MB',
    ...settings,
  }
  let postmaster: ChildProcess | undefined
  const dispose = (): void => {
    postmaster?.kill('SIGKILL')
  }
  process.once('exit', dispose)

  const server: PostgresServer = {
    port,
    url: (database = 'postgres', through = port) => `postgres://postgres@127.0.0.1:${through}/${database}`,
    async connect(database) {
      const client = new pg.Client({ connectionString: server.url(database) })
      client.on('error', () => {})
      await client.connect()
      return client
    },
    async query(text, values = []) {
      const client = await server.connect()
      try {
        return (await client.query(text, values)).rows
      } finally {
        await client.end()
      }
    },
    async kill() {
      const dying = postmaster
      postmaster = undefined
      if (dying === undefined) return
      const pids = childrenOf(dying.pid ?? 0)
      dying.kill('SIGKILL')
      await exited(dying)
      for (const pid of pids) while (isAlive(pid)) await turn()
    },
    async start() {
      const deadline = Date.now() + startTimeoutMs
      for (;;) {
        const child = spawn(
          binaries.postgres,
          ['-D', data, ...Object.entries(config).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
          { ...user, stdio: ['ignore', 'ignore', 'pipe'] },
        )
        let log = ''
        child.stderr?.setEncoding('utf8').on('data', (text: string) => {
          log = (log + text).slice(-4_000)
        })
        postmaster = child
        if (await isUp(child, server.url(), deadline)) return
        if (Date.now() > deadline) throw new Error(`Postgres did not start: ${log}`)
      }
    },
    async stop() {
      process.off('exit', dispose)
      const ending = postmaster
      postmaster = undefined
      if (ending !== undefined) {
        // Immediate: connections that a test left open do not keep it.
        ending.kill('SIGQUIT')
        await exited(ending)
      }
      rmSync(folder, { recursive: true, force: true })
    },
  }
  await server.start()
  return server
}

async function isUp(child: ChildProcess, url: string, deadline: number): Promise<boolean> {
  while (child.exitCode === null && child.signalCode === null && Date.now() < deadline) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
    client.on('error', () => {})
    try {
      await client.connect()
      await client.end()
      return true
    } catch {
      await turn()
    }
  }
  return false
}

/** The processes of the server, so that their end can be awaited. */
function childrenOf(pid: number): number[] {
  if (!existsSync('/proc')) return []
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

/** A process that ended and that nobody has asked for its exit code, as in many containers, is not alive. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !existsSync('/proc') || !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

function exited(child: ChildProcess): Promise<unknown> {
  return child.exitCode === null && child.signalCode === null ? once(child, 'exit') : Promise.resolve()
}

async function run(program: string, args: readonly string[]): Promise<void> {
  const child = spawn(program, args, {
    ...user,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, LC_ALL: 'C' },
  })
  let log = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log += text
  })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`${program} failed: ${log}`)
}

/** Between two looks at a process that gives no signal of its own. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 10)
  })
}
