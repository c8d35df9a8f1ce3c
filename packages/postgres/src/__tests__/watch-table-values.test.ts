import { recordingListener, type RecordingListener } from '@sluice/testkit'
import type { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { type BusBackend, openBackend } from './support/bus-backend.ts'
import { makeEvent } from './support/invariant.ts'
import { type PostgresServer, startPostgres } from './support/postgres-server.ts'

let server: PostgresServer
let backend: BusBackend
let client: Client

beforeAll(async () => {
  server = await startPostgres()
  backend = await openBackend(server.url())
  client = await server.connect()
})
afterAll(async () => {
  await client.end()
  await backend.close()
  await server.stop()
})

/** A table of a test's own; its name, which is the channel's too. */
async function tableOf(columns: string): Promise<string> {
  const name = `t${(await client.query<{ n: string }>(`SELECT replace(gen_random_uuid()::text, '-', '') AS n`)).rows[0]?.n}`
  await client.query(`CREATE TABLE ${name} (${columns})`)
  onTestFinished(async () => {
    await client.query(`DROP TABLE ${name}`)
  })
  return name
}

async function hear(tenantId: string, name: string): Promise<RecordingListener> {
  const recording = recordingListener()
  await backend.bus.subscribe({ tenantId, name }, { from: 'live' }, recording.listener)
  return recording
}

/** What was heard on a channel until now. */
async function heard(recording: RecordingListener, tenantId: string, name: string): Promise<unknown[]> {
  await backend.bus.publish(makeEvent({ tenantId, name }, 'end'))
  await recording.receivedId('end')
  return recording.events.slice(0, -1).map(({ event }) => [event.type, JSON.parse(Buffer.from(event.data).toString())])
}

describe('columns with the names of what the trigger calls its rows', () => {
  const aliases = ['r', 'd', 'b', 'a', 'p', 't', 'c', 'e', 'i', 'key', 'old_rows', 'new_rows', 'data', 'ordinal']

  it.each(aliases)('%s is a column among others', async (name) => {
    const table = await tableOf(`${name} text, tenant text, secret text, PRIMARY KEY (${name}, tenant)`)
    await client.query(`SELECT ${backend.s}.watch_table('${table}', 'tenant')`)
    const recording = await hear('t1', table)
    await client.query(`INSERT INTO ${table} VALUES ('k', 't1', 's')`)
    await client.query(`UPDATE ${table} SET secret = 'u'`)
    await client.query(`SELECT ${backend.s}.watch_table('${table}', 'tenant', columns => ARRAY['${name}', 'secret'])`)
    await client.query(`UPDATE ${table} SET secret = 'v'`)
    expect(await heard(recording, 't1', table)).toEqual([
      ['insert', { [name]: 'k', tenant: 't1', secret: 's' }],
      ['update', { [name]: 'k', tenant: 't1', secret: 'u' }],
      ['update', { [name]: 'k', secret: 'v' }],
    ])
  })

  it.each(aliases)('%s is the key and nothing else where a row moves to another tenant', async (name) => {
    const table = await tableOf(`${name} text PRIMARY KEY, tenant text, secret text`)
    await client.query(`SELECT ${backend.s}.watch_table('${table}', 'tenant')`)
    const [left, right] = [await hear('t1', table), await hear('t2', table)]
    await client.query(`INSERT INTO ${table} VALUES ('k', 't1', 's')`)
    await client.query(`UPDATE ${table} SET tenant = 't2', secret = 'of t2'`)
    expect((await heard(left, 't1', table)).slice(1)).toEqual([['delete', { [name]: 'k' }]])
    expect(await heard(right, 't2', table)).toEqual([['insert', { [name]: 'k', tenant: 't2', secret: 'of t2' }]])
  })
})

describe('a write is never failed by what a row holds:', () => {
  it('a json column with a NUL in it', async () => {
    const table = await tableOf('id int PRIMARY KEY, tenant text, body json')
    await client.query(`SELECT ${backend.s}.watch_table('${table}', 'tenant')`)
    const recording = await hear('t1', table)
    await client.query(`INSERT INTO ${table} VALUES (1, 't1', $1)`, ['{"text": "\\u0000"}'])
    expect(await heard(recording, 't1', table)).toEqual([['insert', { id: 1, tenant: 't1', body: { text: '\0' } }]])
  })

  it('numbers that JSON does not have', async () => {
    const table = await tableOf('id int PRIMARY KEY, tenant text, n numeric, f float8, at timestamptz')
    await client.query(`SELECT ${backend.s}.watch_table('${table}', 'tenant')`)
    const recording = await hear('t1', table)
    await client.query(`INSERT INTO ${table} VALUES (1, 't1', 'NaN', '-Infinity', 'infinity')`)
    expect(await heard(recording, 't1', table)).toEqual([
      ['insert', { id: 1, tenant: 't1', n: 'NaN', f: '-Infinity', at: 'infinity' }],
    ])
  })

  it('tenants and channels of 256 characters that are four bytes each, which no subscription can have', async () => {
    const table = await tableOf('id int PRIMARY KEY, tenant text, name text')
    await client.query(
      `SELECT ${backend.s}.watch_table('${table}', 'tenant', ARRAY['${table}', '{name}'], ARRAY['id'])`,
    )
    const recording = await hear('t1', table)
    const long = '🚢'.repeat(256)
    await client.query(`INSERT INTO ${table} VALUES (1, $1, $1), (2, 't1', $1), (3, 't1', '')`, [long])
    expect(await heard(recording, 't1', table)).toEqual([
      ['insert', { id: 2 }],
      ['insert', { id: 3 }],
    ])
    expect(await backend.query(`SELECT FROM ${backend.s}.inbox`)).toEqual([])
  })

  it('the longest names that a subscription can have arrive', async () => {
    const table = await tableOf('id int PRIMARY KEY, tenant text, name text')
    await client.query(`SELECT ${backend.s}.watch_table('${table}', 'tenant', ARRAY['{name}'], ARRAY['id'])`)
    for (const name of ['🚢'.repeat(128), '☕'.repeat(256), 'x'.repeat(256)]) {
      const recording = await hear(name, name)
      await client.query(`INSERT INTO ${table} VALUES ((SELECT count(*) FROM ${table}), $1, $1)`, [name])
      expect(await heard(recording, name, name)).toHaveLength(1)
    }
  })
})

describe('the settings of the session that writes', () => {
  it('change neither the channel nor the data', async () => {
    const table = await tableOf('id int PRIMARY KEY, tenant text, day date, at timestamptz, span interval, raw bytea')
    await client.query(
      `SELECT ${backend.s}.watch_table('${table}', 'tenant', ARRAY['{day}', '{at}', '{span}', '{raw}', 'all\\{id}'])`,
    )
    const names = ['2026-11-24', '2026-11-24 12:00:00+00', '1 day 02:00:00', '\\x00ff', 'all\\1', 'all\\2']
    const recordings = await Promise.all(names.map((name) => hear('t1', name)))
    const values = `'t1', '2026-11-24', '2026-11-24 12:00:00+00', '26 hours', decode('00ff', 'hex')`
    await client.query(`INSERT INTO ${table} VALUES (1, ${values.replace('26 hours', '1 day 2 hours')})`)
    await client.query(`SET DateStyle = 'SQL, DMY'; SET TimeZone = 'Asia/Kathmandu'; SET IntervalStyle = 'iso_8601';
      SET bytea_output = 'escape'; SET standard_conforming_strings = off; SET escape_string_warning = off`)
    onTestFinished(async () => {
      await client.query('RESET ALL')
    })
    const fresh = await server.connect()
    onTestFinished(() => fresh.end())
    await fresh.query('SET standard_conforming_strings = off; SET escape_string_warning = off')
    await client.query(
      `INSERT INTO ${table} VALUES (2, 't1', '24/11/2026', '24/11/2026 17:45', 'P1DT2H', decode('00ff', 'hex'))`,
    )
    await fresh.query(
      `INSERT INTO ${table} VALUES (3, 't1', '2026-11-24', '2026-11-24 12:00:00+00', '1 day 2 hours', decode('00ff', 'hex'))`,
    )
    const told = await Promise.all(recordings.map((recording, n) => heard(recording, 't1', names[n] ?? '')))
    expect(told.map((events) => events.length)).toEqual([3, 3, 3, 3, 1, 1])
    const [first, second] = (told[0] ?? []) as [string, Record<string, unknown>][]
    expect({ ...second?.[1], id: 1 }).toEqual(first?.[1])
  })

  it('standard_conforming_strings off: shared events are published all the same', async () => {
    const fresh = await server.connect()
    onTestFinished(() => fresh.end())
    await fresh.query('SET standard_conforming_strings = off; SET escape_string_warning = off')
    await fresh.query(`SELECT ${backend.s}.publish_shared('news', 'x', '1')`)
    await fresh.query(`SELECT ${backend.s}.publish('t1', 'news', 'x', '1')`)
  })
})

describe('columns whose value a trigger does not see', () => {
  it('a generated column that is stored is as good as any', async () => {
    const table = await tableOf(
      `id int PRIMARY KEY, company text, tenant text GENERATED ALWAYS AS ('t' || company) STORED`,
    )
    await client.query(`SELECT ${backend.s}.watch_table('${table}', 'tenant')`)
    const recording = await hear('t1', table)
    await client.query(`INSERT INTO ${table} VALUES (1, '1')`)
    expect(await heard(recording, 't1', table)).toEqual([['insert', { id: 1, company: '1', tenant: 't1' }]])
  })

  it('one that is virtual is refused: its row would be nobody’s', async () => {
    const table = await tableOf(
      `id int PRIMARY KEY, company text, tenant text GENERATED ALWAYS AS ('t' || company) VIRTUAL`,
    )
    await expect(client.query(`SELECT ${backend.s}.watch_table('${table}', 'tenant')`)).rejects.toMatchObject({
      code: '22023',
    })
  })

  it('one that was dropped is in no event', async () => {
    const table = await tableOf('gone text, id int PRIMARY KEY, tenant text')
    await client.query(`ALTER TABLE ${table} DROP COLUMN gone`)
    await client.query(`SELECT ${backend.s}.watch_table('${table}', 'tenant')`)
    const recording = await hear('t1', table)
    await client.query(`INSERT INTO ${table} VALUES (1, 't1')`)
    expect(await heard(recording, 't1', table)).toEqual([['insert', { id: 1, tenant: 't1' }]])
  })
})

it('a row whose channels are one and the same is one event there', async () => {
  const table = await tableOf('id int PRIMARY KEY, tenant text, kind text')
  await client.query(
    `SELECT ${backend.s}.watch_table('${table}', 'tenant', ARRAY['${table}', '{kind}'], ARRAY['id', 'kind'])`,
  )
  const recording = await hear('t1', table)
  await client.query(`INSERT INTO ${table} VALUES (1, 't1', '${table}')`)
  await client.query(`UPDATE ${table} SET kind = 'other'`)
  await client.query(`UPDATE ${table} SET kind = '${table}'`)
  await client.query(`DELETE FROM ${table}`)
  expect(await heard(recording, 't1', table)).toEqual([
    ['insert', { id: 1, kind: table }],
    ['update', { id: 1, kind: 'other' }],
    ['update', { id: 1, kind: table }],
    ['delete', { id: 1, kind: table }],
  ])
})
