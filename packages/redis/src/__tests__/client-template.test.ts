import { recordingListener } from '@sluice/testkit'
import { Cluster, Redis } from 'ioredis'
import { Redis as Redis6 } from 'ioredis-6'
import { describe, expect, it } from 'vitest'
import { resolveRedisBusOptions } from '../redis-bus-options.ts'
import { connectedBus, freshChannel, makeEvent, numbered, openServer } from './service.ts'

/** Options that a client may have for its own commands, and that are nothing to the bus. */
const templates = [
  ['numbers as strings', (port: number) => new Redis(port, { lazyConnect: true, stringNumbers: true })],
  ['numbers as strings, in ioredis 6', (port: number) => new Redis6(port, { lazyConnect: true, stringNumbers: true })],
  ['the third protocol', (port: number) => new Redis6(port, { lazyConnect: true, protocol: 3 })],
  ['the second protocol', (port: number) => new Redis6(port, { lazyConnect: true, protocol: 2 })],
  ['pipelines by itself', (port: number) => new Redis(port, { lazyConnect: true, enableAutoPipelining: true })],
  ['no ready check', (port: number) => new Redis(port, { lazyConnect: true, enableReadyCheck: false })],
] as const

describe('a client that has', () => {
  it.each(templates)('%s is a template like any other', async (_, makeClient) => {
    const server = await openServer()
    const bus = await connectedBus({ client: makeClient(server.port) })
    const channel = freshChannel()
    const from = await bus.position(channel)
    const ids = numbered('e', 1, 600) // more than two pages
    await Promise.all(ids.map((eventId) => bus.publish(makeEvent(channel, { eventId }))))
    expect(await bus.publish(makeEvent(channel, { eventId: 'e1' }))).toMatchObject({ duplicate: true })
    const recording = recordingListener()
    await bus.subscribe(channel, { from }, recording.listener)
    await bus.publish(makeEvent(channel, { eventId: 'last' }))
    await recording.receivedId('last')
    expect(recording.gaps).toEqual([])
    expect(recording.eventIds).toEqual([...ids, 'last'])
    expect(await bus.history(channel, { after: from, limit: 10 })).toMatchObject({ hasMore: true })
  })

  it('a keyPrefix for the nodes of a cluster is refused: it would hold for sharded pub/sub and for no key', () => {
    const nodes = [{ host: '127.0.0.1', port: 1 }]
    const client = new Cluster(nodes, { lazyConnect: true, redisOptions: { keyPrefix: 'app:' } })
    expect(() => resolveRedisBusOptions({ client })).toThrow(
      expect.objectContaining({ code: 'BAD_CONFIG', message: expect.stringContaining('keyPrefix') }),
    )
  })
})
