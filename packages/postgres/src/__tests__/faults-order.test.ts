import { fork } from 'node:child_process'
import { once } from 'node:events'
import { recordingListener } from '@sluice/testkit'
import type { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { PostgresBusOptions } from '../index.ts'
import { type BusBackend, openBackend } from './support/bus-backend.ts'
import { embeddedBinaries, installedBinaries } from './support/postgres-binaries.ts'
import { committedIds, expectWhole, freshChannel, makeEvent, record } from './support/invariant.ts'
import { type PostgresServer, startPostgres } from './support/postgres-server.ts'
import { inTurn, seededRandom } from './support/seeded-random.ts'

const versions = [{ version: 18, binaries: await embeddedBinaries() }]
const installed = installedBinaries()
if (installed !== undefined) versions.push({ version: 15, binaries: installed })

describe.each(versions)('on Postgres $version', ({ binaries }) => {
  let server: PostgresServer

  beforeAll(async () => {
    server = await startPostgres({ binaries })
    await server.query('CREATE DATABASE other')
  })
  afterAll(() => server.stop())

  async function backendOf(options: Partial<PostgresBusOptions> = {}): Promise<BusBackend> {
    const backend = await openBackend(server.url(), { history: { maxCount: 1_000_000 }, ...options })
    onTestFinished(() => backend.close())
    return backend
  }

  async function clientOf(database?: string): Promise<Client> {
    const client = await server.connect(database)
    onTestFinished(() => client.end().catch(() => {}))
    return client
  }

  describe('fault 13: transactions that commit in any order', () => {
    it('8 writers with early transaction ids, random sleeps and 5 % rollbacks: everybody hears the order of commits', async () => {
      const backend = await backendOf()
      const buses = [backend.bus, await backend.another(), await backend.another()]
      const channels = [freshChannel('a'), freshChannel('b'), freshChannel('c')]
      const recordings = await Promise.all(
        channels.map((channel) => Promise.all(buses.map((bus) => record(bus, channel)))),
      )
      const random = seededRandom(7)
      const committed = new Map(channels.map((channel) => [channel, [] as string[][]]))
      const rolledBack: string[] = []

      await Promise.all(
        Array.from({ length: 8 }, async (_, writer) => {
          const client = await clientOf()
          const own = channels.map(() => [] as string[])
          for (let n = 0; n < 80; n += 1) {
            await client.query('BEGIN')
            // An id that is older than those of transactions that will commit first.
            await client.query('SELECT pg_current_xact_id(), pg_sleep($1)', [random() * 0.004])
            const ids = channels.map((_, index) => `w${writer}:${n}:${index}`)
            for (const [index, channel] of channels.entries()) {
              await backend.bus.publishIn(client, {
                tenantId: channel.tenantId,
                channel: channel.name,
                type: 'x',
                data: n,
                eventId: ids[index],
              })
            }
            await client.query('SELECT pg_sleep($1)', [random() * 0.006])
            const isRollback = random() < 0.05
            await client.query(isRollback ? 'ROLLBACK' : 'COMMIT')
            if (isRollback) rolledBack.push(...ids)
            else for (const [index, id] of ids.entries()) own[index]?.push(id)
          }
          for (const [index, channel] of channels.entries()) committed.get(channel)?.push(own[index] ?? [])
        }),
      )

      expect(rolledBack.length).toBeGreaterThan(0)
      for (const [index, channel] of channels.entries()) {
        await backend.bus.publish(makeEvent(channel, 'last'))
        const heard = await expectWhole(backend, channel, recordings[index] ?? [], 'last')
        const writers = committed.get(channel) ?? []
        expect(heard.toSorted()).toEqual([...writers.flat(), 'last'].toSorted())
        // A writer's transactions commit one after another, so their order is known.
        for (const [writer, ids] of writers.entries()) {
          expect(
            heard.filter((id) => ids.includes(id)),
            `writer ${writer}`,
          ).toEqual(ids)
        }
        expect(heard.filter((id) => rolledBack.includes(id))).toEqual([])
      }
    })

    it('a transaction that took its place in the inbox first and commits last is not skipped', async () => {
      const backend = await backendOf()
      const channel = freshChannel()
      const recording = await record(backend.bus, channel)
      const slow = await clientOf()
      await slow.query('BEGIN')
      const input = { tenantId: channel.tenantId, channel: channel.name, type: 'x', data: 1 }
      await backend.bus.publishIn(slow, { ...input, eventId: 'early' })
      for (let n = 0; n < 50; n += 1) await backend.bus.publish(makeEvent(channel, `e${n}`))
      await slow.query('COMMIT')
      await recording.receivedId('early')
      expect(recording.eventIds).toHaveLength(51)
      expect(recording.eventIds.at(-1)).toBe('early')
      expect(await committedIds(backend, channel)).toEqual(recording.eventIds)
    })
  })

  describe('a long transaction', () => {
    it.each(['postgres', 'other'])('that is open in the database "%s" holds nothing up', async (database) => {
      const backend = await backendOf()
      const channel = freshChannel()
      const recording = await record(backend.bus, channel)
      const long = await clientOf(database)
      await long.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
      await long.query('SELECT pg_current_xact_id(), count(*) FROM pg_class')
      for (let n = 0; n < 3_000; n += 100) {
        await Promise.all(Array.from({ length: 100 }, (_, i) => backend.bus.publish(makeEvent(channel, `e${n + i}`))))
      }
      await backend.query(`SELECT ${backend.s}.publish($1, $2, 'x', '1', event_id => 'from sql')`, [
        channel.tenantId,
        channel.name,
      ])
      await recording.receivedId('from sql')
      await backend.bus.publish(makeEvent(channel, 'last'))
      await expectWhole(backend, channel, [recording], 'last')
      await long.query('COMMIT')
    })

    it('that holds a snapshot while many events pass does not hide one that commits late', async () => {
      const backend = await backendOf()
      const channel = freshChannel()
      const recording = await record(backend.bus, channel)
      const old = await clientOf()
      await old.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
      await old.query('SELECT count(*) FROM pg_class')
      const late = await clientOf()
      await late.query('BEGIN')
      const input = { tenantId: channel.tenantId, channel: channel.name, type: 'x', data: 1 }
      await backend.bus.publishIn(late, { ...input, eventId: 'late' })
      // Dead rows that no vacuum may take away: sweeps become slow, and most begin after them.
      await backend.query(
        `INSERT INTO ${backend.s}.inbox (channel_key, event_id, type, data, published_at)
         SELECT ${backend.s}.channel_key('other', 'c'), convert_to('e' || n, 'UTF8'), 'x', '1', 1 FROM generate_series(1, 150000) n`,
      )
      const drain = `SELECT drained, sweep_ms FROM ${backend.s}.drain(p_limit => 20000, p_wait => true)`
      let sweep = { drained: 1, sweep_ms: 0 }
      while (sweep.drained > 0) [sweep = { drained: 0, sweep_ms: 0 }] = await backend.query<typeof sweep>(drain)
      expect(sweep.sweep_ms).toBeGreaterThan(5)
      const elsewhere = recordingListener()
      await backend.bus.subscribe({ tenantId: 'other', name: 'c' }, { from: 'live' }, elsewhere.listener)
      await backend.query(`SELECT ${backend.s}.publish('other', 'c', 'x', '1', event_id => 'end')`)
      await elsewhere.receivedId('end')
      await late.query('COMMIT')
      await recording.receivedId('late')
      expect(recording.eventIds).toEqual(['late'])
      await old.query('COMMIT')
    })
  })

  describe('ten instances that drain at once', () => {
    it('leave every event once and in order, also if one is killed in the middle', async () => {
      const backend = await backendOf()
      const buses = [backend.bus, ...(await Promise.all(Array.from({ length: 9 }, () => backend.another())))]
      const channels = Array.from({ length: 5 }, () => freshChannel())
      const recordings = await Promise.all(
        channels.map((channel) => Promise.all(buses.slice(0, 3).map((bus) => record(bus, channel)))),
      )
      // A process of its own that drains all the time, and is killed while it does.
      const script = new URL('./support/drain-for-ever.ts', import.meta.url).pathname
      const drainer = fork(script, [server.url(), backend.s], {
        execArgv: ['--import', 'tsx'],
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      })
      await once(drainer, 'message')
      const writers = await Promise.all(Array.from({ length: 4 }, () => clientOf()))
      const publishing = Promise.all([
        ...buses.map(async (bus, writer) => {
          for (let n = 0; n < 60; n += 1) {
            await bus.publish(makeEvent(channels[n % 5] as (typeof channels)[0], `b${writer}:${n}`))
          }
        }),
        ...writers.map(async (client, writer) => {
          for (let n = 0; n < 100; n += 1) {
            const channel = channels[n % 5] as (typeof channels)[0]
            await client.query(`SELECT ${backend.s}.publish($1, $2, 'x', '1', event_id => $3)`, [
              channel.tenantId,
              channel.name,
              `s${writer}:${n}`,
            ])
          }
        }),
      ])
      const admin = await clientOf()
      let killed = 0
      while (killed < 5) {
        // In the middle of a drain: while it holds the sequencer's lock.
        const { rowCount } = await admin.query(
          `SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
           WHERE l.locktype = 'advisory' AND l.classid = 1936487777 AND l.granted AND a.application_name = 'drain-for-ever'`,
        )
        killed += rowCount ?? 0
      }
      drainer.kill('SIGKILL')
      await once(drainer, 'exit')
      await publishing
      const total: string[] = []
      for (const [index, channel] of channels.entries()) {
        await inTurn(async () => (await backend.query(`SELECT FROM ${backend.s}.inbox`)).length === 0)
        await backend.bus.publish(makeEvent(channel, 'last'))
        total.push(...(await expectWhole(backend, channel, recordings[index] ?? [], 'last')))
      }
      expect(total).toHaveLength(10 * 60 + 4 * 100 + 5)
    })
  })
})
