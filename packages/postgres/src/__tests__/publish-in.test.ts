import { fork } from 'node:child_process'
import { once } from 'node:events'
import { SHARED } from '@sluice/core'
import { recordingListener } from '@sluice/testkit'
import { drizzle } from 'drizzle-orm/node-postgres'
import { CompiledQuery, Kysely, PostgresDialect } from 'kysely'
import { Pool } from 'pg'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { type BusBackend, openBackend } from './support/bus-backend.ts'
import { committedIds, freshChannel, makeEvent, record } from './support/invariant.ts'
import { type PostgresServer, startPostgres } from './support/postgres-server.ts'

let server: PostgresServer

beforeAll(async () => {
  server = await startPostgres()
  await server.query('CREATE TABLE orders (id text PRIMARY KEY, status text)')
})
afterAll(() => server.stop())

async function backendOf(): Promise<BusBackend> {
  const backend = await openBackend(server.url())
  onTestFinished(() => backend.close())
  return backend
}

describe('publishIn', () => {
  it('an event of a transaction that is rolled back is never seen, one that is committed always', async () => {
    const backend = await backendOf()
    const channel = freshChannel()
    const recording = await record(backend.bus, channel)
    const client = await server.connect()
    onTestFinished(() => client.end())
    const wanted: string[] = []
    for (let n = 0; n < 100; n += 1) {
      const isCommit = n % 3 !== 0
      await client.query('BEGIN')
      await client.query('INSERT INTO orders VALUES ($1, $2)', [`${channel.tenantId}:${n}`, 'new'])
      const eventId = await backend.bus.publishIn(client, {
        tenantId: channel.tenantId,
        channel: channel.name,
        type: 'created',
        data: { n },
        eventId: `e${n}`,
      })
      if (isCommit) wanted.push(eventId)
      await client.query(isCommit ? 'COMMIT' : 'ROLLBACK')
    }
    await backend.bus.publish(makeEvent(channel, 'last'))
    await recording.receivedId('last')
    expect(recording.eventIds).toEqual([...wanted, 'last'])
    expect(await committedIds(backend, channel)).toEqual([...wanted, 'last'])
    const { rows } = await client.query('SELECT count(*)::int AS count FROM orders WHERE id LIKE $1', [
      `${channel.tenantId}:%`,
    ])
    expect(rows).toEqual([{ count: wanted.length }])
  })

  it('a savepoint that is rolled back takes its event with it', async () => {
    const backend = await backendOf()
    const channel = freshChannel()
    const recording = await record(backend.bus, channel)
    const client = await server.connect()
    onTestFinished(() => client.end())
    const event = { tenantId: channel.tenantId, channel: channel.name, type: 'x', data: 1 }
    await client.query('BEGIN')
    await backend.bus.publishIn(client, { ...event, eventId: 'kept' })
    await client.query('SAVEPOINT s')
    await backend.bus.publishIn(client, { ...event, eventId: 'undone' })
    await client.query('ROLLBACK TO s')
    await client.query('COMMIT')
    backend.bus.wake()
    await recording.receivedId('kept')
    await backend.bus.publish(makeEvent(channel, 'last'))
    await recording.receivedId('last')
    expect(recording.eventIds).toEqual(['kept', 'last'])
  })

  it('a process that dies right after its COMMIT has published', async () => {
    const backend = await backendOf()
    const channel = freshChannel()
    const recording = await record(backend.bus, channel)
    const script = new URL('./support/commit-and-die.ts', import.meta.url).pathname
    for (const end of ['commit', 'rollback', 'no end']) {
      const child = fork(script, [server.url(), backend.schema, channel.tenantId, end], {
        execArgv: ['--conditions=@sluice/source', '--import', 'tsx'],
      })
      const [, signal] = (await once(child, 'exit')) as [number | null, string | null]
      expect(signal).toBe('SIGKILL')
    }
    await backend.bus.publish(makeEvent(channel, 'last'))
    await recording.receivedId('last')
    expect(recording.eventIds).toEqual(['commit', 'last'])
  })

  it('checks and encodes the event as executor.publish does, before anything is sent', async () => {
    const backend = await backendOf()
    const sent: string[] = []
    const client = { query: async (text: string) => sent.push(text) }
    const event = { tenantId: 't', channel: 'c', type: 'x', data: 1 }
    for (const [change, code] of [
      [{ tenantId: '' }, 'BAD_EVENT'],
      [{ channel: '' }, 'BAD_EVENT'],
      [{ type: 5 }, 'BAD_EVENT'],
      [{ data: undefined }, 'BAD_EVENT'],
      [{ data: 1n }, 'BAD_EVENT'],
      [{ tenantId: SHARED, userId: 'u' }, 'BAD_EVENT'],
      [{ data: 'x'.repeat(1_048_576) }, 'EVENT_TOO_LARGE'],
      [{ headers: { h: 'x'.repeat(70_000) } }, 'EVENT_TOO_LARGE'],
    ] as const) {
      await expect(backend.bus.publishIn(client, { ...event, ...change } as never)).rejects.toMatchObject({ code })
    }
    expect(sent).toEqual([])
  })

  it('arrives as the same event as one that was published', async () => {
    const backend = await backendOf()
    const recording = recordingListener()
    const channel = { tenantId: SHARED, name: 'news\0"\'' } as const
    await backend.bus.subscribe(channel, { from: 'live' }, recording.listener)
    const client = await server.connect()
    onTestFinished(() => client.end())
    await backend.bus.publishIn(client, {
      tenantId: SHARED,
      channel: channel.name,
      type: 'ty\0pe',
      data: { at: new Date(0), text: '🚢\0' },
      eventId: 'e1',
      headers: { traceparent: '00\0' },
    })
    const [heard] = await recording.received(1)
    expect(heard?.event).toMatchObject({ channel, type: 'ty\0pe', eventId: 'e1', headers: { traceparent: '00\0' } })
    expect(JSON.parse(Buffer.from(heard?.event.data ?? []).toString())).toEqual({
      at: '1970-01-01T00:00:00.000Z',
      text: '🚢\0',
    })
  })

  it('leaves the error of the client as it is', async () => {
    const backend = await backendOf()
    const client = await server.connect()
    onTestFinished(() => client.end())
    await client.query('BEGIN')
    await client.query('SELECT 1/0').catch(() => {})
    const event = { tenantId: 't', channel: 'c', type: 'x', data: 1 }
    await expect(backend.bus.publishIn(client, event)).rejects.toMatchObject({ code: '25P02' })
    await client.query('ROLLBACK')
  })
})

describe('query builders', () => {
  it('Kysely: the event is part of its transaction', async () => {
    const backend = await backendOf()
    const channel = freshChannel()
    const recording = await record(backend.bus, channel)
    interface Database {
      orders: { id: string; status: string }
    }
    const db = new Kysely<Database>({
      dialect: new PostgresDialect({ pool: new Pool({ connectionString: server.url() }) }),
    })
    onTestFinished(() => db.destroy())
    const write = async (eventId: string, isRolledBack: boolean): Promise<void> => {
      await db.transaction().execute(async (trx) => {
        await trx
          .insertInto('orders')
          .values({ id: `${channel.tenantId}${eventId}`, status: 'new' })
          .execute()
        await backend.bus.publishIn(
          { query: (text, values) => trx.executeQuery(CompiledQuery.raw(text, values)) },
          { tenantId: channel.tenantId, channel: channel.name, type: 'created', data: { eventId }, eventId },
        )
        if (isRolledBack) throw new Error('no')
      })
    }
    await write('k1', false)
    await expect(write('k2', true)).rejects.toThrow('no')
    await write('k3', false)
    await recording.receivedId('k3')
    expect(recording.eventIds).toEqual(['k1', 'k3'])
  })

  it('Drizzle: the event is part of the transaction of the client that it was made with', async () => {
    const backend = await backendOf()
    const channel = freshChannel()
    const recording = await record(backend.bus, channel)
    const pool = new Pool({ connectionString: server.url() })
    onTestFinished(() => pool.end())
    const write = async (eventId: string, isRolledBack: boolean): Promise<void> => {
      const client = await pool.connect()
      try {
        await drizzle(client).transaction(async (tx) => {
          await tx.execute(`INSERT INTO orders VALUES ('${channel.tenantId}${eventId}', 'new')`)
          await backend.bus.publishIn(client, {
            tenantId: channel.tenantId,
            channel: channel.name,
            type: 'created',
            data: { eventId },
            eventId,
          })
          if (isRolledBack) throw new Error('no')
        })
      } finally {
        client.release()
      }
    }
    await write('d1', false)
    await expect(write('d2', true)).rejects.toThrow('no')
    await write('d3', false)
    await recording.receivedId('d3')
    expect(recording.eventIds).toEqual(['d1', 'd3'])
  })
})

describe('a pool of the caller', () => {
  it('serves a whole bus, whatever the isolation of its transactions, and is left open', async () => {
    const schema = (await backendOf()).schema
    for (const isolation of ['read committed', 'repeatable read', 'serializable']) {
      const pool = new Pool({
        connectionString: server.url(),
        options: `-c default_transaction_isolation=${isolation.replace(' ', '\\ ')}`,
      })
      const backend = await openBackend(server.url(), { schema })
      const bus = await backend.another({ connectionString: undefined, pool } as never)
      const channel = freshChannel()
      const recording = await record(bus, channel)
      await Promise.all(Array.from({ length: 50 }, (_, n) => bus.publish(makeEvent(channel, `e${n}`))))
      await Promise.all(Array.from({ length: 50 }, (_, n) => backend.bus.publish(makeEvent(channel, `f${n}`))))
      await recording.received(100)
      expect(recording.eventIds).toEqual(await committedIds(backend, channel))
      await bus.close()
      expect(pool.ended).toBe(false)
      expect((await pool.query('SHOW transaction_isolation')).rows).toEqual([{ transaction_isolation: isolation }])
      await pool.end()
      await backend.bus.close()
    }
  })
})

describe('publish from SQL', () => {
  it('refuses what no subscription could have, and takes the rest as the bus does', async () => {
    const backend = await backendOf()
    const channel = { tenantId: `t'"; --\\ 🚢`, name: `c'"; DROP TABLE orders; -- \\` }
    const recording = await record(backend.bus, channel)
    const publish = `SELECT ${backend.s}.publish($1, $2, $3, $4, user_id => $5, event_id => $6, headers => $7) AS id`
    const good = [channel.tenantId, channel.name, 'x', '{"a": 1}', null, null, null]
    for (const [index, value, code] of [
      [0, null, '22023'],
      [0, '', '22023'],
      [0, 'x'.repeat(257), '22023'],
      [1, null, '22023'],
      [1, '', '22023'],
      [2, '', '22023'],
      [4, '', '22023'],
      [5, '', '22023'],
      [6, '[]', '22023'],
      [6, '{"a": 1}', '22023'],
      [3, JSON.stringify('x'.repeat(1_048_577)), '54000'],
    ] as const) {
      await expect(backend.query(publish, good.toSpliced(index, 1, value))).rejects.toMatchObject({ code })
    }
    const [row] = await backend.query<{ id: string }>(publish, good)
    await backend.query(publish, [channel.tenantId, channel.name, "y'\\", null, "u'\\", "e'\\", '{"h": "\\\\"}'])
    await recording.received(2)
    expect(recording.events.map(({ event }) => ({ ...event, data: String(event.data), publishedAt: 0 }))).toEqual([
      { channel, type: 'x', data: '{"a": 1}', eventId: row?.id, publishedAt: 0 },
      { channel, type: "y'\\", data: 'null', eventId: "e'\\", userId: "u'\\", headers: { h: '\\' }, publishedAt: 0 },
    ])
    await backend.query(`SELECT ${backend.s}.publish_shared('news', 'z', '2', event_id => 'shared')`)
    const shared = await backend.bus.history({ tenantId: SHARED, name: 'news' }, { limit: 5 })
    // The shared channel's event may still be on its way out of the inbox.
    const news = await record(backend.bus, { tenantId: SHARED, name: 'news' })
    if (shared.events.length === 0) await news.receivedId('shared')
    expect(recording.events).toHaveLength(2)
  })

  it('is published once however often its id is used', async () => {
    const backend = await backendOf()
    const channel = freshChannel()
    const recording = await record(backend.bus, channel)
    for (let n = 0; n < 3; n += 1) {
      await backend.query(`SELECT ${backend.s}.publish($1, $2, 'x', '1', event_id => 'same')`, [
        channel.tenantId,
        channel.name,
      ])
    }
    expect(await backend.bus.publish(makeEvent(channel, 'same'))).toMatchObject({ duplicate: true })
    await backend.bus.publish(makeEvent(channel, 'last'))
    await recording.receivedId('last')
    expect(recording.eventIds).toEqual(['same', 'last'])
  })
})
