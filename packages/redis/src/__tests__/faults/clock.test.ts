import { recordingListener } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { connectedBus, freshChannel, makeEvent, numbered, openClient, openServer, publishMany } from '../service.ts'

const hourMs = 3_600_000

describe('a clock that goes back', () => {
  it('does not change the order, nor what is kept', async () => {
    const { url, port } = await openServer()
    const bus = await connectedBus({ url, history: { maxAgeMs: 10_000 } })
    const channel = freshChannel()
    const from = await bus.position(channel)
    const recording = recordingListener()
    await bus.subscribe(channel, { from: 'live' }, recording.listener)
    await publishMany(bus, channel, 'e', 1, 3)
    const client = openClient(port)
    const [meta = ''] = await client.keys('*:m:*')
    await client.hincrby(meta, 'ms', hourMs) // what the record of a server with a clock ahead says
    await publishMany(bus, channel, 'e', 4, 300)
    await recording.receivedId('e300')
    expect(recording.eventIds).toEqual(numbered('e', 1, 300))
    expect(recording.gaps).toEqual([])
    const { events, gap } = await bus.history(channel, { after: from, limit: 1_000 })
    expect(gap).toBeUndefined()
    expect(events.map(({ event }) => event.eventId)).toEqual(numbered('e', 1, 300))
  })

  it('and a failover without the tail are a gap `fork`, although the time of the next entry is not the clock’s', async () => {
    const { url, port } = await openServer()
    const bus = await connectedBus({ url, checkIntervalMs: 600_000 })
    const channel = freshChannel()
    await publishMany(bus, channel, 'e', 1, 3)
    const client = openClient(port)
    const [meta = '', stream = ''] = [...(await client.keys('*:m:*')), ...(await client.keys('*:s:*'))]
    await client.hincrby(meta, 'ms', hourMs)
    await publishMany(bus, channel, 'e', 4, 5)
    // What a replica has of it, whose clock is behind as well.
    const replicated = await Promise.all([meta, stream].map((key) => client.dumpBuffer(key)))
    const { position } = await bus.publish(makeEvent(channel, { eventId: 'lost' }))
    let forkCount = 0
    const rounds = 20
    for (let round = 0; round < rounds; round += 1) {
      for (const [index, key] of [meta, stream].entries()) {
        await client.restore(key, 60_000, replicated[index] as Buffer, 'REPLACE')
      }
      await bus.publish(makeEvent(channel, { eventId: `instead ${round}` }))
      const { gap } = await bus.history(channel, { after: position, limit: 10 })
      if (gap === 'fork') forkCount += 1
    }
    // By chance the times may be the same, once in a few hundred.
    expect(forkCount).toBeGreaterThanOrEqual(rounds - 2)
  })
})
