import { Buffer } from 'node:buffer'
import type { BusStatus, SluiceError } from '@sluice/core'
import { recordingListener } from '@sluice/testkit'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { postgresBus, type PostgresBus, type PostgresBusOptions } from '../index.ts'
import { type BusBackend, openBackend } from './support/bus-backend.ts'
import { committedIds, expectWhole, freshChannel, makeEvent, publishStubbornly, record } from './support/invariant.ts'
import { type PostgresServer, startPostgres } from './support/postgres-server.ts'
import { startTcpProxy, type TcpProxy } from './support/tcp-proxy.ts'

let server: PostgresServer

beforeAll(async () => {
  server = await startPostgres()
})
afterAll(() => server.stop())

async function backendOf(options: Partial<PostgresBusOptions> = {}): Promise<BusBackend> {
  const backend = await openBackend(server.url(), { history: { maxCount: 1_000_000 }, ...options })
  onTestFinished(() => backend.close())
  return backend
}

async function proxyOf(): Promise<TcpProxy> {
  const proxy = await startTcpProxy(server.port)
  onTestFinished(() => proxy.close())
  return proxy
}

/** Resolves when the bus has this status, now or later. */
function becomes(bus: PostgresBus, status: BusStatus): Promise<void> {
  if (bus.status() === status) return Promise.resolve()
  return new Promise((resolve) => {
    const remove = bus.observe({
      onStatus(heard) {
        if (heard !== status) return
        remove()
        resolve()
      },
    })
  })
}

describe('fault 1: several instances', () => {
  it('each of three receives everything', async () => {
    const backend = await backendOf()
    const buses = [backend.bus, await backend.another(), await backend.another()]
    const channel = freshChannel()
    const recordings = await Promise.all(buses.map((bus) => record(bus, channel)))
    await Promise.all(
      buses.map(async (bus, writer) => {
        for (let n = 0; n < 200; n += 1) await bus.publish(makeEvent(channel, `${writer}:${n}`))
      }),
    )
    await backend.bus.publish(makeEvent(channel, 'last'))
    const committed = await expectWhole(backend, channel, recordings, 'last')
    expect(committed).toHaveLength(601)
  })
})

describe('fault 2: connections killed at random under load', () => {
  it('leave no hole, no duplicate and no gap', async () => {
    const backend = await backendOf()
    const buses = [backend.bus, await backend.another(), await backend.another()]
    const channels = Array.from({ length: 20 }, () => freshChannel())
    const recordings = await Promise.all(
      channels.map((channel) => Promise.all(buses.map((bus) => record(bus, channel)))),
    )
    const admin = await server.connect()
    onTestFinished(() => admin.end())
    const state = { isOver: false, killed: 0 }
    const killer = (async () => {
      while (!state.isOver) {
        // Any of them: those that listen, those that publish, those that delete.
        const { rowCount } = await admin.query(
          `SELECT pg_terminate_backend(pid), pg_sleep(0.03) FROM pg_stat_activity
           WHERE application_name = 'sluice' AND random() < 0.3 LIMIT 1`,
        )
        state.killed += rowCount ?? 0
      }
    })()
    const accepted = channels.map(() => [] as string[])
    await Promise.all(
      channels.map(async (channel, index) => {
        const bus = buses[index % 3] as PostgresBus
        for (let n = 0; n < 150; n += 1) {
          await publishStubbornly(bus, makeEvent(channel, `e${n}`))
          accepted[index]?.push(`e${n}`)
        }
      }),
    )
    state.isOver = true
    await killer
    expect(state.killed).toBeGreaterThan(20)
    for (const [index, channel] of channels.entries()) {
      await publishStubbornly(backend.bus, makeEvent(channel, 'last'))
      const committed = await expectWhole(backend, channel, recordings[index] ?? [], 'last')
      expect(committed).toEqual([...(accepted[index] ?? []), 'last'])
    }
  })

  it('also of those who are told the history meanwhile', async () => {
    const backend = await backendOf()
    const publisher = await backend.another()
    const channel = freshChannel()
    const from = await backend.bus.position(channel)
    await Promise.all(Array.from({ length: 4_000 }, (_, n) => publisher.publish(makeEvent(channel, `e${n}`))))
    const admin = await server.connect()
    onTestFinished(() => admin.end())
    let count = 0
    const recordings = await Promise.all(
      Array.from({ length: 5 }, async () => {
        // Each listener has the listening connection killed after every 700 events that it was told.
        const recording = recordingListener((notification) => {
          if (notification.kind !== 'event') return
          count += 1
          if (count % 700 !== 0) return
          void admin.query(
            `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sluice' AND query NOT LIKE '%inbox%'`,
          )
        })
        await backend.bus.subscribe(channel, { from }, recording.listener)
        return recording
      }),
    )
    for (let n = 4_000; n < 4_100; n += 1) await publishStubbornly(publisher, makeEvent(channel, `e${n}`))
    await publishStubbornly(publisher, makeEvent(channel, 'last'))
    const committed = await expectWhole(backend, channel, recordings, 'last')
    expect(committed).toHaveLength(4_101)
  })
})

describe('fault 4: a link that swallows one direction', () => {
  const heartbeatMs = 300

  it.each(['swallowFromServer', 'swallowFromClients'] as const)(
    'is noticed within two heartbeats, and nothing is missed: %s',
    async (fault) => {
      const backend = await backendOf()
      const proxy = await proxyOf()
      const bus = await backend.another({ connectionString: server.url('postgres', proxy.port), heartbeatMs })
      const channel = freshChannel()
      const recording = await record(bus, channel)
      await backend.bus.publish(makeEvent(channel, 'before'))
      await recording.receivedId('before')
      const swallowed = proxy.swallowed()
      proxy[fault]()
      await swallowed
      const since = performance.now()
      await backend.bus.publish(makeEvent(channel, 'meanwhile'))
      await becomes(bus, 'degraded')
      expect(performance.now() - since).toBeLessThan(2 * heartbeatMs)
      proxy.heal()
      await becomes(bus, 'up')
      await backend.bus.publish(makeEvent(channel, 'last'))
      expect(await expectWhole(backend, channel, [recording], 'last')).toEqual(['before', 'meanwhile', 'last'])
    },
  )
})

describe('fault 8: the wake-up of the last event is lost', () => {
  it('and it arrives by poll', async () => {
    const backend = await backendOf()
    const channel = freshChannel()
    const recording = await record(backend.bus, channel)
    const publisher = await backend.another()
    // From now on every drain notifies a channel that nobody listens to.
    await backend.query(`UPDATE ${backend.s}.state SET notify_channel = 'sluice_elsewhere'`)
    await publisher.publish(makeEvent(channel, 'silent'))
    await recording.receivedId('silent')
    expect(await committedIds(backend, channel)).toEqual(['silent'])
  })
})

describe('fault 9: the reply to a publish is lost', () => {
  it('is an unknown outcome, and published again with its id it is one event', async () => {
    const backend = await backendOf()
    const proxy = await proxyOf()
    const channel = freshChannel()
    const recording = await record(backend.bus, channel)
    const bus = await backend.another({
      connectionString: server.url('postgres', proxy.port),
      publishTimeoutMs: 500,
      heartbeatMs: 200,
    })
    await bus.publish(makeEvent(channel, 'before'))
    proxy.swallowFromServer()
    const event = makeEvent(channel, 'once')
    const failure = await bus.publish(event).catch((error: unknown) => error as SluiceError)
    expect(failure).toMatchObject({ code: 'BUS_OUTCOME_UNKNOWN', retryable: true })
    // It is there, whatever the reply.
    await recording.receivedId('once')
    proxy.heal()
    await becomes(bus, 'up')
    expect(await bus.publish(event)).toMatchObject({ duplicate: true })
    await bus.publish(makeEvent(channel, 'last'))
    expect(await expectWhole(backend, channel, [recording], 'last')).toEqual(['before', 'once', 'last'])
  })
})

describe('fault 11: publishing all the time', () => {
  it('1,000 subscriptions are each contiguous from their acknowledgement', async () => {
    const backend = await backendOf()
    const publisher = await backend.another()
    const channel = freshChannel()
    const state = { isOver: false, count: 0 }
    const publishing = (async () => {
      while (!state.isOver) {
        state.count += 1
        await publisher.publish(makeEvent(channel, `e${state.count}`))
      }
    })()
    for (let round = 0; round < 1_000; round += 1) {
      const recording = recordingListener()
      const subscription = await backend.bus.subscribe(channel, { from: 'live' }, recording.listener)
      const atAcknowledgement = state.count
      await recording.received(1)
      await subscription.close()
      const first = Number(recording.eventIds[0]?.slice(1))
      expect(first).toBeLessThanOrEqual(atAcknowledgement + 1)
      expect(recording.eventIds).toEqual(recording.eventIds.map((_, index) => `e${first + index}`))
      expect(recording.gaps).toEqual([])
    }
    state.isOver = true
    await publishing
  })
})

describe('fault 12: subscribe and leave before the acknowledgement', () => {
  it('10,000 times leaves nothing, and nobody is called', async () => {
    const backend = await backendOf()
    const channel = freshChannel()
    const reason = new Error('nobody waits')
    const recording = recordingListener()
    for (let round = 0; round < 100; round += 1) {
      const outcomes = Array.from({ length: 100 }, async (_, index) => {
        const controller = new AbortController()
        const subscribing = backend.bus.subscribe(
          { ...channel, name: `c${index % 10}` },
          { from: 'live', signal: controller.signal },
          recording.listener,
        )
        controller.abort(reason)
        await expect(subscribing).rejects.toBe(reason)
      })
      await Promise.all(outcomes)
    }
    expect(backend.bus.stats()).toMatchObject({ listenerCount: 0, channelCount: 0 })
    await backend.bus.publish(makeEvent({ ...channel, name: 'c0' }, 'e'))
    expect(backend.bus.stats().waitingSubscriptionCount).toBe(0)
    expect(recording.notifications).toEqual([])
  })
})

describe('fault 17: the backend is down', () => {
  it('at boot: what waits is refused in time with a typed error, and works when the server is there', async () => {
    const proxy = await proxyOf()
    proxy.swallowFromServer()
    const bus = postgresBus({
      connectionString: server.url('postgres', proxy.port),
      schema: 'late',
      heartbeatMs: 200,
      publishTimeoutMs: 400,
      subscribeTimeoutMs: 400,
    })
    onTestFinished(() => bus.close())
    const errors: unknown[] = []
    bus.observe({ onError: (error) => errors.push(error) })
    const channel = freshChannel()
    expect(bus.status()).toBe('down')
    const refused = [
      bus.publish(makeEvent(channel, 'e1')),
      bus.subscribe(channel, { from: 'live' }, () => {}),
      bus.history(channel, { limit: 1 }),
      bus.position(channel),
      bus.ready({ timeoutMs: 400 }),
    ]
    for (const outcome of await Promise.allSettled(refused)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'BUS_UNAVAILABLE', retryable: true } })
    }
    expect(errors.length).toBeGreaterThan(0)
    const published = publishStubbornly(bus, makeEvent(channel, 'e1'))
    proxy.heal()
    await published
    await becomes(bus, 'up')
    const page = await bus.history(channel, { limit: 10 })
    expect(page.events.map(({ event }) => event.eventId)).toEqual(['e1'])
  })

  it('for long under load: memory is bounded by the limits, each refusal is typed, and what was accepted is whole', async () => {
    const backend = await backendOf()
    const proxy = await proxyOf()
    const bus = await backend.another({
      connectionString: server.url('postgres', proxy.port),
      maxPendingCount: 50,
      maxPendingBytes: 2_000_000,
      maxPayloadBytes: 100_000,
      publishTimeoutMs: 600,
      heartbeatMs: 200,
    })
    const channel = freshChannel()
    const recording = await record(backend.bus, channel)
    proxy.swallowFromServer()
    proxy.cut()
    await becomes(bus, 'degraded')
    const outcomes = Array.from({ length: 500 }, (_, n) => bus.publish(makeEvent(channel, `e${n}`)))
    expect(bus.stats().pendingPublishCount).toBe(50)
    const large = Array.from({ length: 30 }, () =>
      bus.publish({ ...makeEvent(channel, 'large'), data: Buffer.alloc(99_999, 0x20) }),
    )
    for (const outcome of await Promise.allSettled([...outcomes, ...large])) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { name: 'SluiceError', retryable: true } })
    }
    expect(bus.stats().pendingPublishCount).toBe(0)
    proxy.heal()
    await becomes(bus, 'up')
    await publishStubbornly(bus, makeEvent(channel, 'last'))
    await expectWhole(backend, channel, [recording], 'last')
  })

  it('by bytes too', async () => {
    const backend = await backendOf()
    const proxy = await proxyOf()
    const bus = await backend.another({
      connectionString: server.url('postgres', proxy.port),
      maxPendingBytes: 250_000,
      maxPayloadBytes: 100_000,
      publishTimeoutMs: 300,
      heartbeatMs: 200,
    })
    proxy.swallowFromServer()
    const channel = freshChannel()
    const outcomes = Array.from({ length: 5 }, (_, n) =>
      bus.publish({ ...makeEvent(channel, `e${n}`), data: Buffer.alloc(100_000, 0x20) }),
    )
    expect(bus.stats().pendingPublishCount).toBe(2)
    for (const outcome of await Promise.allSettled(outcomes)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { name: 'SluiceError', retryable: true } })
    }
  })
})
