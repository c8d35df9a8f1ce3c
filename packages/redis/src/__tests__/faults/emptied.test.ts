import { recordingListener, until } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { connectedBus, freshChannel, makeEvent, openClient, openServer, publishMany } from '../service.ts'

const checkIntervalMs = 800

describe('FLUSHALL', () => {
  it('is one gap for a channel that goes on, and one for an idle one, within the check interval', async () => {
    const { url, port } = await openServer()
    const bus = await connectedBus({ url, checkIntervalMs })
    const [busy, idle, unused] = [freshChannel(), freshChannel(), freshChannel()]
    const recordings = [recordingListener(), recordingListener(), recordingListener()] as const
    await bus.subscribe(busy, { from: 'live' }, recordings[0].listener)
    await bus.subscribe(idle, { from: 'live' }, recordings[1].listener)
    await bus.subscribe(unused, { from: 'live' }, recordings[2].listener)
    await publishMany(bus, busy, 'e', 1, 10)
    await publishMany(bus, idle, 'e', 1, 10)
    await Promise.all([recordings[0].received(10), recordings[1].received(10)])

    await openClient(port).flushall()
    const emptiedAt = performance.now()
    await publishMany(bus, busy, 'new', 1, 5)
    await recordings[0].receivedId('new5')
    await Promise.all(recordings.map((recording) => recording.heard(({ kind }) => kind === 'gap')))
    expect(performance.now() - emptiedAt).toBeLessThan(checkIntervalMs + 400)

    // And then as ever.
    await publishMany(bus, idle, 'new', 1, 5)
    await publishMany(bus, unused, 'new', 1, 5)
    await Promise.all([recordings[1].receivedId('new5'), recordings[2].receivedId('new5')])
    for (const [index, recording] of recordings.entries()) {
      expect(recording.gaps.map(({ reason }) => reason)).toEqual(['epoch'])
      expect(recording.events).toHaveLength(index === 2 ? 5 : 15)
    }
  })

  it('is one gap for those who replay, between two of their pages or before', async () => {
    const { url, port } = await openServer()
    const bus = await connectedBus({ url, history: { maxCount: 10_000 } })
    const channel = freshChannel()
    const from = await bus.position(channel)
    await Promise.all(
      Array.from({ length: 3_000 }, (_, index) => bus.publish(makeEvent(channel, { eventId: `e${index}` }))),
    )
    const client = openClient(port)
    let flushing: Promise<unknown> | undefined
    // It is emptied while the first page is told, so the second page is of another history.
    const recording = recordingListener(({ kind }) => {
      if (kind === 'event') flushing ??= client.flushall()
    })
    await bus.subscribe(channel, { from }, recording.listener)
    await recording.received(1)
    await flushing
    await bus.publish(makeEvent(channel, { eventId: 'after' }))
    await recording.receivedId('after')
    expect(recording.gaps.map(({ reason }) => reason)).toEqual(['epoch'])
    const heard = recording.eventIds
    expect(heard.slice(0, -1)).toEqual(Array.from({ length: heard.length - 1 }, (_, index) => `e${index}`))
    expect(heard.length).toBeLessThan(3_001)
  })

  it('of an idle channel is found before the next event, so that this one is not taken for the first', async () => {
    const { url, port } = await openServer()
    const bus = await connectedBus({ url, checkIntervalMs: 60_000 })
    const channel = freshChannel()
    const recording = recordingListener()
    await bus.subscribe(channel, { from: 'live' }, recording.listener)
    await openClient(port).flushall()
    await bus.publish(makeEvent(channel, { eventId: 'first of the new history' }))
    await until(() => recording.events.length === 1, 'it is heard')
    expect(recording.notifications.map((told) => (told.kind === 'gap' ? `gap:${told.reason}` : told.kind))).toEqual([
      'gap:epoch',
      'event',
    ])
  })
})
