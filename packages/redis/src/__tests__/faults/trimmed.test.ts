import type { Position } from '@sluice/core'
import { recordingListener } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { connectedBus, freshChannel, makeEvent, numbered, openClient, openServer, publishMany } from '../service.ts'

describe('a history that is trimmed', () => {
  it('is a gap for whoever comes back to the last entry that was dropped, and none at the first that is kept', async () => {
    const { url, port } = await openServer()
    const bus = await connectedBus({ url })
    const channel = freshChannel()
    const positions: Position[] = []
    for (const eventId of numbered('e', 1, 20)) {
      positions.push((await bus.publish(makeEvent(channel, { eventId }))).position)
    }
    const client = openClient(port)
    const [stream] = await client.keys('*:s:*')
    expect(await client.xtrim(stream ?? '', 'MAXLEN', 10)).toBe(10) // e11 is the first that is kept

    for (const [from, gaps, first] of [
      [positions[9], ['trimmed'], 11], // e10, just dropped
      [positions[10], [], 12], // e11, just kept
    ] as const) {
      const recording = recordingListener()
      await bus.subscribe(channel, { from: from as Position }, recording.listener)
      await recording.receivedId('e20')
      expect(recording.gaps.map(({ reason }) => reason)).toEqual(gaps)
      expect(recording.eventIds).toEqual(numbered('e', first, 20))
      const page = await bus.history(channel, { after: from as Position, limit: 100 })
      expect(page.gap).toBe(gaps[0])
      expect(page.events.map(({ event }) => event.eventId)).toEqual(numbered('e', first, 20))
    }

    // Whoever was told the gap can come back to where it was told.
    const told = recordingListener()
    await bus.subscribe(channel, { from: positions[0] as Position }, told.listener)
    await told.receivedId('e20')
    const again = recordingListener()
    await bus.subscribe(channel, { from: told.gaps[0]?.position as Position }, again.listener)
    await again.receivedId('e20')
    expect(again.gaps).toEqual([])
    expect(again.eventIds).toEqual(numbered('e', 11, 20))
  })

  it('by age is forgotten: from the end of it nothing is missing, from before there is a gap', async () => {
    const { url, port } = await openServer()
    const bus = await connectedBus({ url, history: { maxAgeMs: 60_000 } })
    const channel = freshChannel()
    await publishMany(bus, channel, 'e', 1, 4)
    const { position: before } = await bus.publish(makeEvent(channel, { eventId: 'e5' }))
    const { position: end } = await bus.publish(makeEvent(channel, { eventId: 'e6' }))
    const client = openClient(port)
    const [stream = ''] = await client.keys('*:s:*')
    expect(await client.pttl(stream)).toBeGreaterThan(50_000)
    await client.del(stream) // what its expiry does

    const [early, late] = [recordingListener(), recordingListener()]
    await bus.subscribe(channel, { from: before }, early.listener)
    await bus.subscribe(channel, { from: end }, late.listener)
    await bus.publish(makeEvent(channel, { eventId: 'e7' }))
    await Promise.all([early.receivedId('e7'), late.receivedId('e7')])
    expect(early.gaps.map(({ reason }) => reason)).toEqual(['trimmed'])
    expect(late.gaps).toEqual([])
    expect([early.eventIds, late.eventIds]).toEqual([['e7'], ['e7']])
  })

  it('in the middle, by whoever, is a gap where the hole is', async () => {
    const { url, port } = await openServer()
    const bus = await connectedBus({ url })
    const channel = freshChannel()
    const from = await bus.position(channel)
    await publishMany(bus, channel, 'e', 1, 9)
    const client = openClient(port)
    const [stream = ''] = await client.keys('*:s:*')
    const entries = await client.xrange(stream, '-', '+')
    await client.xdel(stream, entries[4]?.[0] ?? '', entries[5]?.[0] ?? '')
    const recording = recordingListener()
    await bus.subscribe(channel, { from }, recording.listener)
    await recording.receivedId('e9')
    expect(
      recording.notifications.map((one) =>
        one.kind === 'event' ? one.event.eventId : one.kind === 'gap' ? one.reason : '',
      ),
    ).toEqual(['e1', 'e2', 'e3', 'e4', 'trimmed', 'e7', 'e8', 'e9'])
  })

  it('what others write into the stream or the channel is no event, reported, and harms none', async () => {
    const { url, port } = await openServer()
    const bus = await connectedBus({ url })
    const errors: unknown[] = []
    bus.observe({ onError: (error) => errors.push(error) })
    const channel = freshChannel()
    const recording = recordingListener()
    const from = await bus.position(channel)
    await bus.subscribe(channel, { from: 'live' }, recording.listener)
    const client = openClient(port)
    await bus.publish(makeEvent(channel, { eventId: 'e1' }))
    await recording.receivedId('e1')
    const [wire = ''] = (await client.pubsub('CHANNELS', '*')) as string[]
    await client.publish(wire, 'no frame')
    await client.publish(wire, 'abc 1-1 0 2\n{}[]') // of no history
    await bus.publish(makeEvent(channel, { eventId: 'e2' }))
    await recording.receivedId('e2')
    expect(recording.eventIds).toEqual(['e1', 'e2'])
    expect(recording.gaps).toEqual([])
    expect(errors).toHaveLength(1)

    // An entry where the next one belongs, which is none of ours: those who replay pass it.
    const [stream = ''] = await client.keys('*:s:*')
    const [meta = ''] = await client.keys('*:m:*')
    const ms = Number(await client.hget(meta, 'ms')) + 1
    await client.xadd(stream, `${ms}-3`, 'x', 'y')
    await client.hset(meta, 'offset', 3, 'ms', ms)
    await bus.publish(makeEvent(channel, { eventId: 'e4' }))
    const replaying = recordingListener()
    await bus.subscribe(channel, { from }, replaying.listener)
    await replaying.receivedId('e4')
    expect(replaying.notifications.map(({ kind }) => kind)).toEqual(['event', 'event', 'advance', 'event'])
    expect((await bus.history(channel, { limit: 10 })).events).toHaveLength(3)
  })
})
