import { recordingListener, until } from '@sluice/testkit'
import { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { connectedBus, freshChannel, makeEvent, openClient, openServer, publishMany } from './service.ts'

/** What keeps a process alive, by kind. */
function activeResources(): { sockets: number; timers: number } {
  const counts: Record<string, number> = {}
  for (const name of process.getActiveResourcesInfo()) counts[name] = (counts[name] ?? 0) + 1
  return { sockets: counts['TCPSocketWrap'] ?? 0, timers: counts['Timeout'] ?? 0 }
}

/** A timer of the test's own client may have ended meanwhile. */
function expectNoMore(before: { sockets: number; timers: number }): void {
  expect(activeResources().sockets).toBe(before.sockets)
  expect(activeResources().timers).toBeLessThanOrEqual(before.timers)
}

describe('after everything is closed', () => {
  it('there is no connection, no timer, and no key without an expiry', async () => {
    const server = await openServer()
    const client = openClient(server.port)
    await client.ping()
    const before = activeResources()
    const bus = await connectedBus({ url: server.url, lingerMs: 60_000, checkIntervalMs: 60_000 })
    const channels = Array.from({ length: 20 }, () => freshChannel())
    for (const channel of channels) {
      const from = await bus.position(channel)
      const recording = recordingListener()
      const subscription = await bus.subscribe(channel, { from }, recording.listener)
      await publishMany(bus, channel, 'e', 1, 3)
      await recording.received(3)
      await subscription.close()
      await bus.subscribe(channel, { from: 'live' }, recording.listener)
    }
    expect(activeResources().sockets).toBe(before.sockets + 2)
    await bus.close()
    const connected = async () => ((await client.client('LIST')) as string).match(/name=sluice:/g)?.length ?? 0
    await until(async () => (await connected()) === 0, 'Redis has seen it')
    expectNoMore(before)
    expect(await client.pubsub('CHANNELS', '*')).toEqual([])

    const keys = await client.keys('*')
    expect(keys.length).toBe(20 * 5) // record, stream, and three event ids
    const kinds = new Map<string, number>()
    for (const key of keys) {
      const ttl = await client.pttl(key)
      expect(ttl, key).toBeGreaterThan(0)
      const kind = /^sluice:\{\d\d\}:(\w):/.exec(key)?.[1] ?? key
      kinds.set(kind, Math.max(kinds.get(kind) ?? 0, ttl))
    }
    expect([...kinds.keys()].sort()).toEqual(['d', 'm', 's'])
    expect(kinds.get('d')).toBeLessThanOrEqual(120_000)
    expect(kinds.get('s')).toBeLessThanOrEqual(300_000)
    expect(kinds.get('m')).toBeLessThanOrEqual(3_600_000)
  })

  it('the keys are those without an expiry that a history for ever declares', async () => {
    const server = await openServer()
    const client = openClient(server.port)
    const bus = await connectedBus({ url: server.url, history: { maxAgeMs: Number.POSITIVE_INFINITY } })
    await bus.publish(makeEvent(freshChannel()))
    const ttls = await Promise.all(
      (await client.keys('*')).map(async (key) => [key.split(':')[2], await client.pttl(key)]),
    )
    const byKind = Object.fromEntries(ttls) as Record<string, number>
    expect(byKind).toMatchObject({ m: -1, s: -1 })
    expect(byKind['d']).toBeGreaterThan(0)
  })

  it('a client that was given is as it was: not connected, not closed, without a listener', async () => {
    const server = await openServer()
    const client = new Redis(server.port, '127.0.0.1', { lazyConnect: true })
    const listenerCount = () => client.eventNames().reduce((count, name) => count + client.listenerCount(name), 0)
    const before = listenerCount()
    const bus = await connectedBus({ client })
    await bus.publish(makeEvent(freshChannel()))
    await bus.close()
    expect(client.status).toBe('wait')
    expect(listenerCount()).toBe(before)
    await client.connect()
    expect(await client.ping()).toBe('PONG')
    client.disconnect()
  })

  it('a bus that was opened and closed 200 times leaves nothing', async () => {
    const server = await openServer()
    const client = openClient(server.port)
    await client.ping()
    const before = activeResources()
    for (let round = 0; round < 200; round += 1) {
      const bus = await connectedBus({ url: server.url })
      await bus.close()
    }
    expectNoMore(before)
  })
})

describe('the deployment', () => {
  it('is the name of its connections', async () => {
    const server = await openServer()
    const bus = await connectedBus({ url: server.url, consumerGroup: 'api' })
    expect(bus.consumerGroup).toBe('api')
    const clients = (await openClient(server.port).client('LIST')) as string
    const names = [...clients.matchAll(/ name=(sluice:\S+)/g)].map(([, name]) => name)
    expect(new Set(names)).toEqual(new Set(['sluice:api:publisher', 'sluice:api:subscriber']))
    expect(names).toHaveLength(2)
  })
})
