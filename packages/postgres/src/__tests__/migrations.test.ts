import { randomUUID } from 'node:crypto'
import { spawnSync } from 'node:child_process'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCommandLine } from '../command-line.ts'
import { postgresBus } from '../index.ts'
import { loadMigrations, migrate, migrationScript } from '../migrations.ts'
import { recordingListener } from '@sluice/testkit'
import { quoteIdentifier } from '../quote.ts'
import { type PostgresServer, startPostgres } from './support/postgres-server.ts'

let server: PostgresServer

beforeAll(async () => {
  server = await startPostgres()
})
afterAll(() => server.stop())

const oddNames = [
  'Sluice "quoted"; DROP SCHEMA public; --',
  "o'clock $$ $sluice$ \\ :x",
  'schéma 🚢',
  'UPPER.dot',
  'select',
]

describe('migrations', () => {
  it('are numbered without a hole', () => {
    expect(loadMigrations().map(({ version }) => version)).toEqual(loadMigrations().map((_, index) => index + 1))
  })

  it('may be run by ten instances at once, each of which works afterwards', async () => {
    const schema = `s_${randomUUID()}`
    const buses = Array.from({ length: 10 }, () => postgresBus({ connectionString: server.url(), schema }))
    const errors: unknown[] = []
    for (const bus of buses) bus.observe({ onError: (error) => errors.push(error) })
    await Promise.all(buses.map((bus) => bus.ready()))
    const channel = { tenantId: 't', name: 'c' }
    const recordings = await Promise.all(
      buses.map(async (bus) => {
        const recording = recordingListener()
        await bus.subscribe(channel, { from: 'live' }, recording.listener)
        return recording
      }),
    )
    await Promise.all(
      buses.map((bus, index) =>
        bus.publish({ channel, type: 'x', data: Buffer.from('1'), eventId: `e${index}`, publishedAt: 1 }),
      ),
    )
    for (const recording of recordings) {
      await recording.received(10)
      expect(recording.eventIds).toEqual(recordings[0]?.eventIds)
    }
    await Promise.all(buses.map((bus) => bus.close()))
    expect(errors).toEqual([])
    const versions = await server.query(`SELECT version FROM ${quoteIdentifier(schema)}.migrations ORDER BY 1`)
    expect(versions).toEqual(loadMigrations().map(({ version }) => ({ version })))
  })

  it('change nothing when they are run again, and keep the epoch', async () => {
    const schema = `s_${randomUUID()}`
    const state = `SELECT epoch, lock_key FROM ${quoteIdentifier(schema)}.state`
    const client = await server.connect()
    await client.query(migrationScript(schema))
    const { rows } = await client.query(state)
    await client.query(migrationScript(schema))
    expect((await client.query(state)).rows).toEqual(rows)
    expect(await migrate({ query: (config) => client.query(config) }, schema)).toBe(loadMigrations().length)
    await client.end()
  })

  it('let nobody call a function to whom it was not granted', async () => {
    const schema = `s_${randomUUID()}`
    const s = quoteIdentifier(schema)
    const client = await server.connect()
    await client.query(migrationScript(schema))
    const role = quoteIdentifier(`role_${randomUUID()}`)
    await client.query(`CREATE ROLE ${role}; GRANT USAGE ON SCHEMA ${s} TO ${role}; SET ROLE ${role}`)
    const publish = `SELECT ${s}.publish('t', 'c', 'x', '1')`
    await expect(client.query(publish)).rejects.toMatchObject({ code: '42501' })
    await expect(client.query(`SELECT * FROM ${s}.log`)).rejects.toMatchObject({ code: '42501' })
    await client.query(`RESET ROLE; GRANT EXECUTE ON FUNCTION ${s}.publish TO ${role}; SET ROLE ${role}`)
    await client.query(publish)
    await client.query('RESET ROLE')
    expect((await client.query(`SELECT convert_from(type, 'UTF8') AS type FROM ${s}.inbox`)).rows).toEqual([
      { type: 'x' },
    ])
    await client.end()
  })
})

describe.each(oddNames)('a schema called %s', (schema) => {
  it('is created, used and dropped, and nothing else is', async () => {
    const before = await schemas()
    const bus = postgresBus({ connectionString: server.url(), schema, pollMs: 10 })
    const channel = { tenantId: 't', name: 'c' }
    const recording = recordingListener()
    await bus.subscribe(channel, { from: 'live' }, recording.listener)
    await bus.publish({ channel, type: 'x', data: Buffer.from('1'), eventId: 'e1', publishedAt: 1 })
    await server.query(`SELECT ${quoteIdentifier(schema)}.publish('t', 'c', 'y', '{"a": 1}', event_id => 'e2')`)
    await recording.received(2)
    expect(recording.eventIds).toEqual(['e1', 'e2'])
    await bus.close()
    expect(await schemas()).toEqual([...before, schema].sort())
    expect((await command('status', '--schema', schema)).out).toContain('history   2 events of 1 channels')
    expect(await command('drop', '--schema', schema, '--yes')).toMatchObject({ code: 0 })
    expect(await schemas()).toEqual(before)
  })
})

describe('sluice-postgres', () => {
  it('tells what it can do', async () => {
    const { code, out } = await command('--help')
    expect(code).toBe(0)
    for (const word of ['migrate', 'print', 'status', 'drop', '--schema', '--connection-string'])
      expect(out).toContain(word)
    expect(await command()).toMatchObject({ code: 2, out: '' })
    expect(await command('destroy')).toMatchObject({ code: 2, out: '' })
    expect(await command('migrate', '--unknown')).toMatchObject({ code: 2, out: '' })
  })

  it('migrates once, tells the status and drops only when told twice', async () => {
    const schema = 'by hand'
    expect((await command('status', '--schema', schema)).out).toBe(
      '"by hand" is not there: run sluice-postgres migrate\n',
    )
    expect((await command('migrate', '--schema', schema)).out).toMatch(
      /^"by hand" was brought from version 0 to \d+\n$/,
    )
    expect((await command('migrate', '--schema', schema)).out).toMatch(/nothing to do\n$/)
    await server.query('CREATE TABLE watched_orders (id int PRIMARY KEY, tenant text)')
    await server.query(`SELECT "by hand".watch_table('watched_orders', 'tenant')`)
    await server.query(`INSERT INTO watched_orders VALUES (1, 't')`)
    const { out } = await command('status', '--schema', schema)
    expect(out).toMatch(/waiting {3}1 events in the inbox, the oldest for \d+ ms\n/)
    expect(out).toContain('watched   watched_orders\n')
    expect(await command('drop', '--schema', schema)).toMatchObject({ code: 2 })
    expect(await schemas()).toContain(schema)
    expect(await command('drop', '--schema', schema, '--yes')).toMatchObject({ code: 0 })
    expect(await schemas()).not.toContain(schema)
  })

  it('prints what an owner can run for a role that may not create tables, which then needs no right but to use them', async () => {
    const { out } = await command('print', '--schema', 'printed')
    const role = `app_${randomUUID().slice(0, 8)}`
    await server.query(`CREATE ROLE ${role} LOGIN`)
    const connectionString = server.url().replace('postgres@', `${role}@`)
    const refused = postgresBus({ connectionString, schema: 'printed' })
    await expect(refused.ready({ timeoutMs: 500 })).rejects.toMatchObject({
      code: 'BUS_UNAVAILABLE',
      message: expect.stringContaining('permission denied'),
    })
    await refused.close()

    const owner = await server.connect()
    await owner.query(out)
    await owner.query(`GRANT USAGE ON SCHEMA printed TO ${role};
      GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA printed TO ${role};
      GRANT EXECUTE ON FUNCTION printed.drain, printed.settle, printed.retain, printed.forget_channels TO ${role}`)
    await owner.end()
    const bus = postgresBus({ connectionString, schema: 'printed', migrate: false })
    const channel = { tenantId: 't', name: 'c' }
    const event = { channel, type: 'x', data: Buffer.from('1'), eventId: 'e1', publishedAt: 1 }
    expect(await bus.publish(event)).toMatchObject({ duplicate: false })
    await bus.close()
  })

  it('fails without printing the password', async () => {
    const secret = 'hunter2'
    const port = 1
    for (const url of [
      `postgres://u:${secret}@127.0.0.1:${port}/d`,
      `redis://u:${secret}@h/0`,
      secret,
      `postgres://u:${secret}/x@h:y/d`,
    ]) {
      const { code, out, err } = await command('status', '--connection-string', url)
      expect(code).toBe(1)
      expect(out + err).not.toContain(secret)
    }
  })

  it('is a program', () => {
    const { status, stdout } = spawnSync(
      process.execPath,
      ['--conditions=@sluice/source', '--import', 'tsx', new URL('../cli.ts', import.meta.url).pathname, 'print'],
      { encoding: 'utf8' },
    )
    expect(status).toBe(0)
    expect(stdout).toBe(migrationScript('sluice'))
  })
})

async function schemas(): Promise<string[]> {
  const rows = await server.query<{ nspname: string }>(
    `SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_|^s_|^public$|^information_schema$' ORDER BY 1`,
  )
  return rows.map(({ nspname }) => nspname).sort()
}

async function command(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = ''
  let err = ''
  const code = await runCommandLine(
    args,
    { DATABASE_URL: server.url() },
    {
      out: (text) => void (out += text),
      err: (text) => void (err += text),
    },
  )
  return { code, out, err }
}

it('deletes no schema that is not a bus', async () => {
  const client = await server.connect()
  try {
    await client.query('CREATE SCHEMA "somebody\'s"; CREATE TABLE "somebody\'s".state (precious int)')
    for (const schema of ["somebody's", 'public', 'nowhere']) {
      const { code, err } = await command('drop', '--schema', schema, '--yes')
      expect([code, err]).toEqual([1, expect.stringContaining('is not the schema of a Sluice bus')])
    }
    expect((await client.query('SELECT * FROM "somebody\'s".state')).rows).toEqual([])
  } finally {
    await client.query('DROP SCHEMA IF EXISTS "somebody\'s" CASCADE')
    await client.end()
  }
})
