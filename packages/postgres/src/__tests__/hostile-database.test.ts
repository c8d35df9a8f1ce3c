import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { migrate, migrationScript } from '../migrations.ts'
import { quoteIdentifier } from '../quote.ts'
import { type BusBackend, openBackend } from './support/bus-backend.ts'
import { committedIds, expectWhole, freshChannel, makeEvent, record } from './support/invariant.ts'
import { type PostgresServer, startPostgres } from './support/postgres-server.ts'

let server: PostgresServer

beforeAll(async () => {
  server = await startPostgres()
})
afterAll(() => server.stop())

async function backendOf(options: Parameters<typeof openBackend>[1] = {}): Promise<BusBackend> {
  const backend = await openBackend(server.url(), options)
  onTestFinished(() => backend.close())
  return backend
}

describe('a role that may insert into the inbox and nothing else', () => {
  it.each(['not JSON', '[1]', 'null', '{"a": 1}', '{"a": "b"', '"text"'])(
    'cannot stop anybody’s events with the headers %s',
    async (headers) => {
      const backend = await backendOf()
      const channel = freshChannel()
      const recording = await record(backend.bus, channel)
      await backend.bus.publish(makeEvent(channel, 'first'))
      await backend.query(
        `INSERT INTO ${backend.s}.inbox (channel_key, event_id, type, data, headers, published_at)
         SELECT key, convert_to('odd', 'UTF8'), convert_to('x', 'UTF8'), convert_to('1', 'UTF8'), convert_to($1, 'UTF8'), 'NaN'
         FROM ${backend.s}.channels`,
        [headers],
      )
      await recording.receivedId('odd')
      await backend.bus.publish(makeEvent(channel, 'last'))
      await expectWhole(backend, channel, [recording], 'last')
      expect(recording.events[1]?.event.headers).toBeUndefined()
      const page = await backend.bus.history(channel, { limit: 10 })
      expect(page.events.map(({ event }) => event.eventId)).toEqual(['first', 'odd', 'last'])
    },
  )
})

describe('a role that was granted the columns of an event', () => {
  it('publishes in its transactions, and may not choose a place in the inbox', async () => {
    const backend = await backendOf()
    const channel = freshChannel()
    const recording = await record(backend.bus, channel)
    const role = `publisher_${randomUUID().slice(0, 8)}`
    const publisher = await server.connect()
    onTestFinished(() => publisher.end())
    await publisher.query(`CREATE ROLE ${role}; GRANT USAGE ON SCHEMA ${backend.s} TO ${role};
      GRANT INSERT (channel_key, event_id, type, user_id, data, headers, published_at) ON ${backend.s}.inbox TO ${role};
      SET ROLE ${role}`)
    const event = { tenantId: channel.tenantId, channel: channel.name, type: 'x', data: 1, eventId: 'granted' }
    await backend.bus.publishIn(publisher, event)
    await recording.receivedId('granted')
    for (const statement of [
      `INSERT INTO ${backend.s}.inbox (id, channel_key, event_id, type, data, published_at) OVERRIDING SYSTEM VALUE
       VALUES (-1, 'ab', 'e', 'x', '1', 0)`,
      `SELECT FROM ${backend.s}.inbox`,
      `SELECT FROM ${backend.s}.log`,
      `SELECT FROM ${backend.s}.channels`,
      `SELECT ${backend.s}.drain()`,
      `SELECT ${backend.s}.publish('other', 'c', 'x', '1')`,
    ]) {
      await expect(publisher.query(statement)).rejects.toMatchObject({ code: '42501' })
    }
    await publisher.query(`RESET ROLE; DROP OWNED BY ${role}; DROP ROLE ${role}`)
  })
})

describe('the role of a server that was granted the tables and the four functions it calls', () => {
  it('has a whole bus, and cannot make the trigger function run what it likes as the owner', async () => {
    const backend = await backendOf()
    const role = `app_${randomUUID().slice(0, 8)}`
    const app = await server.connect()
    onTestFinished(() => app.end())
    const functions = await backend.query<{ name: string }>(
      `SELECT oid::regprocedure::text AS name FROM pg_proc
       WHERE pronamespace = $1::regnamespace AND proname IN ('drain', 'settle', 'retain', 'forget_channels')`,
      [backend.s],
    )
    expect(functions).toHaveLength(4)
    await app.query(`CREATE ROLE ${role} LOGIN; GRANT USAGE ON SCHEMA ${backend.s} TO ${role};
      GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${backend.s} TO ${role};
      GRANT EXECUTE ON FUNCTION ${functions.map(({ name }) => name).join(', ')} TO ${role};
      CREATE SCHEMA ${role} AUTHORIZATION ${role}`)
    await backend.bus.close()
    const connectionString = server.url().replace('postgres@', `${role}@`)
    const bus = await backend.another({ connectionString, migrate: false })
    const channel = freshChannel()
    const recording = await record(bus, channel)
    await bus.publish(makeEvent(channel, 'e'))
    await recording.receivedId('e')
    for (const statement of ['retain(1, 1)', 'forget_channels(1)']) {
      await app.query(`SET ROLE ${role}; SELECT ${backend.s}.${statement}; RESET ROLE`)
    }
    // A type whose cast is a function of the role's own would be run by the trigger function, which is the owner's.
    await app.query(`SET ROLE ${role}; SET search_path = ${role};
      CREATE TYPE odd AS (x int);
      CREATE FUNCTION odd_text(odd) RETURNS text LANGUAGE sql AS 'SELECT current_user::text';
      CREATE CAST (odd AS text) WITH FUNCTION odd_text(odd);
      CREATE TABLE own (id int PRIMARY KEY, tenant odd)`)
    await expect(
      app.query(`CREATE TRIGGER t AFTER INSERT ON own REFERENCING NEW TABLE AS new_rows
        FOR EACH STATEMENT EXECUTE FUNCTION ${backend.s}.publish_changes('tenant', '{id}', '{id}', '{orders}')`),
    ).rejects.toMatchObject({ code: '42501' })
    await expect(app.query(`SELECT ${backend.s}.watch_table('own', 'tenant')`)).rejects.toMatchObject({ code: '42501' })
    await bus.close()
    await app.query(`RESET ROLE; RESET search_path; DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`)
  })
})

describe('what others made', () => {
  it('temporary tables of a writer are not taken for those of the bus', async () => {
    const backend = await backendOf()
    const channel = freshChannel()
    const role = `writer_${randomUUID().slice(0, 8)}`
    const writer = await server.connect()
    onTestFinished(() => writer.end())
    await writer.query(`CREATE TABLE ${role} (id int PRIMARY KEY, tenant text);
      SELECT ${backend.s}.watch_table('${role}', 'tenant', ARRAY['${channel.name}']);
      CREATE ROLE ${role}; GRANT ALL ON ${role} TO ${role}; GRANT CREATE ON SCHEMA public TO ${role}; SET ROLE ${role};
      CREATE TEMP TABLE inbox (LIKE ${role}); CREATE TEMP TABLE state (max_payload_bytes int); CREATE TEMP TABLE old_rows (id int, tenant text);
      CREATE TEMP TABLE new_rows (id int, tenant text);
      CREATE FUNCTION public.channel_key(text, text) RETURNS bytea LANGUAGE sql AS 'SELECT NULL::bytea';
      CREATE FUNCTION pg_temp.to_json(anyelement) RETURNS json LANGUAGE sql AS 'SELECT NULL::json'`)
    const recording = await record(backend.bus, channel)
    await writer.query(`SET search_path = pg_temp, public`)
    await writer.query(`INSERT INTO new_rows VALUES (7, '${channel.tenantId}')`)
    await writer.query(`INSERT INTO public.${role} VALUES (1, $1)`, [channel.tenantId])
    await backend.bus.publish(makeEvent(channel, 'last'))
    await recording.receivedId('last')
    expect(recording.events.map(({ event }) => String(event.data))).toEqual([
      expect.stringMatching(/^\{"id": ?1,/),
      '1',
    ])
    await writer.query(
      `RESET ROLE; RESET search_path; DROP TABLE public.${role}; DROP OWNED BY ${role}; DROP ROLE ${role}`,
    )
  })

  it('a schema with other things in it is left alone', async () => {
    const schema = `used_${randomUUID().slice(0, 8)}`
    const client = await server.connect()
    onTestFinished(() => client.end())
    for (const thing of [
      `CREATE TABLE ${schema}.inbox (id int)`,
      `CREATE TABLE ${schema}.users (id int)`,
      `CREATE FUNCTION ${schema}.theirs() RETURNS int LANGUAGE sql AS 'SELECT 1'`,
      `CREATE VIEW ${schema}.state AS SELECT 1`,
    ]) {
      await client.query(`CREATE SCHEMA ${schema}`)
      await client.query(thing)
      await expect(migrate({ query: (config) => client.query(config) }, schema)).rejects.toMatchObject({
        code: '55000',
      })
      const { rows } = await client.query(
        `SELECT (SELECT count(*)::int FROM pg_class WHERE relnamespace = $1::regnamespace)
              + (SELECT count(*)::int FROM pg_proc WHERE pronamespace = $1::regnamespace AND proacl IS NULL) AS count`,
        [schema],
      )
      expect(rows).toEqual([{ count: 1 }])
      await client.query(`DROP SCHEMA ${schema} CASCADE`)
    }
    // An empty one, which somebody made for the bus, is as good as none.
    await client.query(`CREATE SCHEMA ${schema}`)
    expect(await migrate({ query: (config) => client.query(config) }, schema)).toBe(0)
    expect(await migrate({ query: (config) => client.query(config) }, schema)).toBeGreaterThan(0)
    await client.query(`DROP SCHEMA ${schema} CASCADE`)
  })

  it('standard_conforming_strings off: a schema whose name has a backslash and a quote is a name all the same', async () => {
    const client = await server.connect()
    onTestFinished(() => client.end())
    await client.query('SET standard_conforming_strings = off; SET escape_string_warning = off')
    const schema = `s\\'); DROP SCHEMA public CASCADE; --${randomUUID().slice(0, 8)}`
    await client.query(migrationScript(schema))
    await client.query(`SELECT ${quoteIdentifier(schema)}.publish_shared('news', 'x', '1')`)
    expect((await client.query(`SELECT FROM pg_namespace WHERE nspname = 'public'`)).rowCount).toBe(1)
    await client.query(`DROP SCHEMA ${quoteIdentifier(schema)} CASCADE`)
  })
})

describe('transactions', () => {
  it('one that was prepared publishes when it is committed, however late, and nothing if it is rolled back', async () => {
    const own = await startPostgres({ settings: { max_prepared_transactions: '10' } })
    onTestFinished(() => own.stop())
    const backend = await openBackend(own.url())
    onTestFinished(() => backend.close())
    const channel = freshChannel()
    const recording = await record(backend.bus, channel)
    const client = await own.connect()
    onTestFinished(() => client.end())
    for (const name of ['kept', 'undone']) {
      await client.query('BEGIN')
      await backend.bus.publishIn(client, {
        tenantId: channel.tenantId,
        channel: channel.name,
        type: 'x',
        data: 1,
        eventId: name,
      })
      await client.query(`PREPARE TRANSACTION '${name}'`)
    }
    for (let n = 0; n < 20; n += 1) await backend.bus.publish(makeEvent(channel, `e${n}`))
    await backend.bus.close()
    const other = await backend.another()
    const later = await record(other, channel)
    await other.publish(makeEvent(channel, 'before'))
    await client.query(`ROLLBACK PREPARED 'undone'`)
    await client.query(`COMMIT PREPARED 'kept'`)
    await later.receivedId('kept')
    await other.publish(makeEvent(channel, 'last'))
    await later.receivedId('last')
    expect(later.eventIds).toEqual(['before', 'kept', 'last'])
    expect(recording.gaps).toEqual([])
    expect(await committedIds(backend, channel)).toEqual([
      ...Array.from({ length: 20 }, (_, n) => `e${n}`),
      'before',
      'kept',
      'last',
    ])
  })

  it('a channel is not forgotten by a snapshot that is older than its last event', async () => {
    const backend = await backendOf({ pollMs: 60_000 })
    const channel = freshChannel()
    const client = await server.connect()
    onTestFinished(() => client.end())
    await backend.bus.publish(makeEvent(channel, 'old'))
    await backend.query(`SELECT ${backend.s}.retain(NULL, 0)`)
    await backend.query(`UPDATE ${backend.s}.channels SET floored_at = floored_at - interval '3 days'; `)
    await backend.query(`DELETE FROM ${backend.s}.seen`)
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
    await client.query(`SELECT FROM ${backend.s}.state`)
    await backend.bus.publish(makeEvent(channel, 'new'))
    await client.query(`SELECT ${backend.s}.forget_channels(1000)`).catch(() => {})
    await client.query('COMMIT')
    expect((await backend.bus.history(channel, { limit: 10 })).events.map(({ event }) => event.eventId)).toEqual([
      'new',
    ])
  })
})

describe('a listener whose connection stays', () => {
  it('is given an event that takes longer than a heartbeat to arrive, over a link that is slow and not silent', async () => {
    const backend = await backendOf({ maxPayloadBytes: 16_777_216, publishTimeoutMs: 20_000, heartbeatMs: 100 })
    const channel = freshChannel()
    const recording = await record(backend.bus, channel)
    const data = Buffer.alloc(16_777_216, '1')
    await backend.bus.publish({ ...makeEvent(channel, 'large'), data })
    await recording.receivedId('large')
    expect(data.equals(recording.events[0]?.event.data ?? Buffer.alloc(0))).toBe(true)
    expect(recording.gaps).toEqual([])
  })

  it('is told a gap where the schema was replaced in one transaction, and then what is new', async () => {
    const backend = await backendOf()
    const channel = freshChannel()
    const recording = await record(backend.bus, channel)
    for (let n = 0; n < 30; n += 1) await backend.bus.publish(makeEvent(channel, `e${n}`))
    await recording.receivedId('e29')
    const isLost = recording.heard((told) => told.kind === 'gap')
    await backend.query(
      `BEGIN; DROP SCHEMA ${backend.s} CASCADE; ${migrationScript(backend.schema).replace(/^BEGIN[^;]*;/, '')}`,
    )
    await isLost
    await backend.bus.publish(makeEvent(channel, 'new'))
    await recording.receivedId('new')
    expect(recording.gaps.map(({ reason }) => reason)).toEqual(['epoch'])
  })

  it('is told a gap of events that were deleted before it was given them, without waiting for the next event', async () => {
    const backend = await backendOf({ history: { maxAgeMs: 1_000 }, heartbeatMs: 10_000 })
    const channel = freshChannel()
    const recording = await record(backend.bus, channel)
    await backend.bus.publish(makeEvent(channel, 'first'))
    await recording.receivedId('first')
    const isTold = recording.heard((told) => told.kind === 'gap')
    const client = await server.connect()
    onTestFinished(() => client.end())
    // The reader waits for this lock as it would where its process is stopped or its link is slow.
    await client.query(`BEGIN; LOCK TABLE ${backend.s}.log IN ACCESS EXCLUSIVE MODE`)
    await client.query(`SELECT ${backend.s}.publish($1, $2, 'x', '1')`, [channel.tenantId, channel.name])
    await client.query(`SELECT ${backend.s}.drain(p_wait => true)`)
    await client.query(`SELECT pg_sleep(1.2)`)
    await client.query(`SELECT ${backend.s}.retain(NULL, 1000)`)
    await client.query('COMMIT')
    await isTold
    await backend.bus.publish(makeEvent(channel, 'last'))
    await recording.receivedId('last')
    expect(recording.gaps.map(({ reason }) => reason)).toEqual(['trimmed'])
    expect(recording.eventIds).toEqual(['first', 'last'])
  })
})
