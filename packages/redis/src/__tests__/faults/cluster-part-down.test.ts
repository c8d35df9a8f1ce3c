import slotOf from 'cluster-key-slot'
import { describe, expect, it } from 'vitest'
import { channelNames } from '../../keys.ts'
import { openCluster } from '../cluster-service.ts'
import { connectedBus, freshChannel, makeEvent } from '../service.ts'

describe('a cluster of which a node is gone for long', () => {
  it.each(['kill', 'pause'] as const)('(%s) is read as ever where its other nodes are asked', async (fault) => {
    const cluster = await openCluster()
    const bus = await connectedBus({ client: cluster.client(), publishTimeoutMs: 3_000 })
    const channels = Array.from({ length: 60 }, () => freshChannel())
    await Promise.all(channels.map((channel) => bus.publish(makeEvent(channel, { eventId: 'e1' }))))
    const slot = (channel: (typeof channels)[number]): number =>
      slotOf(channelNames({ keyPrefix: 'sluice', database: 0 }, channel).meta)
    // The third master has no replica.
    const [, , victim] = cluster.masters
    const gone = channels.filter((channel) => slot(channel) > 10_922)
    const there = channels.filter((channel) => slot(channel) <= 10_922)
    expect(Math.min(gone.length, there.length)).toBeGreaterThan(0)
    if (fault === 'kill') await victim?.server.kill()
    else victim?.server.pause()

    const asking = Array.from({ length: 64 }, (_, index) =>
      bus.history(gone[index % gone.length] ?? freshChannel(), { limit: 10 }),
    )
    const outcomes = Promise.allSettled(asking)
    let settledCount = 0
    for (const one of asking) one.catch(() => undefined).finally(() => (settledCount += 1))
    const pages = await Promise.all(there.map((channel) => bus.history(channel, { limit: 10 })))
    expect(pages.every(({ events }) => events.length === 1)).toBe(true)
    // Nobody had to wait until those gave up.
    expect(settledCount).toBe(0)
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'BUS_UNAVAILABLE' } })
    }
    victim?.server.resume()
  })
})
