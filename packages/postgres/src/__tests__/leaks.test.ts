import { inspect } from 'node:util'
import { type BusEvent, SHARED } from '@sluice/core'
import { Pool } from 'pg'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { postgresBus } from '../index.ts'
import { openBackend } from './support/bus-backend.ts'
import { freshChannel, makeEvent, record } from './support/invariant.ts'
import { type PostgresServer, startPostgres } from './support/postgres-server.ts'
import { inTurn } from './support/seeded-random.ts'
import { startTcpProxy } from './support/tcp-proxy.ts'

let server: PostgresServer

beforeAll(async () => {
  server = await startPostgres()
})
afterAll(() => server.stop())

/** Timers that keep the process alive, of the test's own runner too. */
function timerCount(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
}

describe('a bus that was closed', () => {
  it('leaves no timer, no connection and no listener', async () => {
    const schema = 'leaks'
    await (await openBackend(server.url(), { schema })).bus.close()
    const before = timerCount()
    const url = `${server.url()}?application_name=leaks`
    for (let n = 0; n < 3; n += 1) {
      const bus = postgresBus({ connectionString: url, schema })
      const channel = freshChannel()
      // Before it is ready, so that all of them wait for that.
      await Promise.all([
        bus.ready(),
        bus.position(channel),
        bus.history(channel, { limit: 1 }),
        bus.subscribe(channel, { from: 'live' }, () => {}),
        bus.publish(makeEvent(channel, 'e')),
      ])
      await bus.close()
      expect(bus.stats()).toEqual({
        channelCount: 0,
        listenerCount: 0,
        waitingSubscriptionCount: 0,
        pendingPublishCount: 0,
      })
    }
    expect(timerCount()).toBeLessThanOrEqual(before)
    await inTurn(async () => {
      const rows = await server.query(`SELECT FROM pg_stat_activity WHERE application_name = 'leaks'`)
      return rows.length === 0
    })
  })

  it('leaves a pool of the caller without a listener of its own, and all its clients', async () => {
    const pool = new Pool({ connectionString: server.url(), max: 3 })
    onTestFinished(() => pool.end())
    const before = pool.eventNames().map((name) => [name, pool.listenerCount(name)])
    const bus = postgresBus({ pool, schema: 'leaks_pool' })
    const channel = freshChannel()
    await Promise.all(Array.from({ length: 100 }, (_, n) => bus.publish(makeEvent(channel, `e${n}`))))
    await bus.close()
    expect(pool.eventNames().map((name) => [name, pool.listenerCount(name)])).toEqual(before)
    expect(pool.idleCount).toBe(pool.totalCount)
    expect(pool.waitingCount).toBe(0)
  })
})

describe('the password', () => {
  it('is in no error, however deep one looks into it, nor in the bus', async () => {
    const refused = `postgres://nobody:hunter2-secret@127.0.0.1:${server.port}/nowhere`
    const nobodyThere = await startTcpProxy(1)
    onTestFinished(() => nobodyThere.close())
    const unreachable = `postgres://nobody:hunter2-secret@127.0.0.1:${nobodyThere.port}/nowhere`
    const seen: unknown[] = []
    for (const connectionString of [refused, unreachable]) {
      for (const isPool of [false, true]) {
        const pool = new Pool({ connectionString })
        pool.on('error', () => {})
        const options = { publishTimeoutMs: 300, subscribeTimeoutMs: 300, heartbeatMs: 200 }
        const bus = postgresBus(isPool ? { pool, ...options } : { connectionString, ...options })
        bus.observe({ onError: (error) => seen.push(error) })
        const channel = freshChannel()
        const results = await Promise.allSettled([
          bus.ready({ timeoutMs: 300 }),
          bus.publish(makeEvent(channel, 'e')),
          bus.subscribe(channel, { from: 'live' }, () => {}),
          bus.history(channel, { limit: 1 }),
        ])
        for (const result of results) {
          expect(result.status).toBe('rejected')
          if (result.status === 'rejected') seen.push(result.reason)
        }
        if (!isPool) seen.push(bus)
        await bus.close()
        await pool.end()
      }
    }
    expect(seen.length).toBeGreaterThan(16)
    for (const something of seen) {
      expect(inspect(something, { depth: 20, showHidden: true, getters: true })).not.toContain('hunter2')
      expect(JSON.stringify(something)).not.toContain('hunter2')
    }
  })
})

describe('an event', () => {
  it('is asked for its data once: those are new bytes each time', async () => {
    const backend = await openBackend(server.url())
    onTestFinished(() => backend.close())
    const channel = { tenantId: SHARED, name: 'once' } as const
    let looks = 0
    const event: BusEvent = {
      channel,
      type: 'x',
      eventId: 'e',
      publishedAt: 1,
      get data() {
        looks += 1
        return Buffer.from(String(looks))
      },
    }
    const recording = await record(backend.bus, channel)
    await backend.bus.publish(event)
    await recording.receivedId('e')
    expect(looks).toBe(1)
    expect(String(recording.events[0]?.event.data)).toBe('1')
  })

  it('counts with its headers among what may wait', async () => {
    const proxy = await startTcpProxy(1)
    onTestFinished(() => proxy.close())
    const bus = postgresBus({
      connectionString: server.url('postgres', proxy.port),
      maxPayloadBytes: 1_000,
      maxPendingBytes: 1_000_000,
      publishTimeoutMs: 60_000,
    })
    const headers = { h: 'x'.repeat(65_000) }
    const results = Array.from({ length: 100 }, async (_, n) =>
      bus.publish({ ...makeEvent(freshChannel(), `e${n}`), headers }).then(
        () => 'published',
        (error: { code: string }) => error.code,
      ),
    )
    expect(bus.stats().pendingPublishCount).toBeLessThanOrEqual(16)
    await bus.close()
    const codes = await Promise.all(results)
    expect(codes.filter((code) => code === 'BUS_UNAVAILABLE').length).toBeGreaterThanOrEqual(84)
    expect(codes.filter((code) => code === 'BUS_CLOSED').length).toBeGreaterThan(0)
  })
})
