import { recordingListener, until } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { connectedBus, freshChannel, isUp, makeEvent, openServer, publishMany } from '../service.ts'

describe('a server that is killed and started again, empty,', () => {
  it('is told as one gap `epoch` on each channel, and new events arrive', async () => {
    const server = await openServer()
    const bus = await connectedBus({ url: server.url })
    const channels = [freshChannel(), freshChannel(), freshChannel('idle')]
    const recordings = channels.map(() => recordingListener())
    for (const [index, channel] of channels.entries()) {
      await bus.subscribe(channel, { from: 'live' }, recordings[index]?.listener ?? (() => {}))
      await publishMany(bus, channel, 'before', 1, 20)
    }
    await Promise.all(recordings.map((recording) => recording.received(20)))

    // Under load: what is under way when the server dies is accepted by the next one, or has an error that says so.
    const [busy] = channels
    if (busy === undefined) throw new Error('no channel')
    const underWay = Promise.allSettled(
      Array.from({ length: 200 }, (_, index) => bus.publish(makeEvent(busy, { eventId: `under way ${index}` }))),
    )
    await server.kill()
    await until(() => bus.status() === 'down', 'the bus knows')
    await server.start()
    await isUp(bus)
    expect(await underWay).toHaveLength(200)
    for (const channel of channels) await bus.publish(makeEvent(channel, { eventId: 'after' }))
    await Promise.all(recordings.map((recording) => recording.receivedId('after')))
    for (const recording of recordings) {
      expect(recording.gaps.map(({ reason }) => reason)).toEqual(['epoch'])
      expect(new Set(recording.eventIds).size).toBe(recording.eventIds.length)
      expect(recording.eventIds.slice(0, 20)).toEqual(Array.from({ length: 20 }, (_, index) => `before${index + 1}`))
      const kinds = recording.notifications.filter(({ kind }) => kind === 'status')
      expect(kinds).toContainEqual({ kind: 'status', status: 'down' })
      expect(kinds.at(-1)).toEqual({ kind: 'status', status: 'up' })
    }
  })
})

describe('a server with an append-only file that is killed under load and started again', () => {
  it('has lost nothing that was accepted: no gap, no event twice, all instances alike', async () => {
    const server = await openServer({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] })
    const options = { url: server.url, publishTimeoutMs: 20_000, history: { maxCount: 10_000 } }
    const [here, there] = await Promise.all([connectedBus(options), connectedBus(options)])
    const channel = freshChannel()
    const recordings = [recordingListener(), recordingListener()]
    await here.subscribe(channel, { from: 'live' }, recordings[0]?.listener ?? (() => {}))
    await there.subscribe(channel, { from: 'live' }, recordings[1]?.listener ?? (() => {}))

    const published = Promise.all(
      Array.from({ length: 2_000 }, (_, index) => here.publish(makeEvent(channel, { eventId: `e${index}` }))),
    )
    await recordings[0]?.received(300)
    await server.kill()
    await server.start()
    await published
    await Promise.all(recordings.map((recording) => recording.received(2_000)))
    for (const recording of recordings) {
      expect(recording.gaps).toEqual([])
      // In the order of publishing, although what was under way was sent again.
      expect(recording.eventIds).toEqual(Array.from({ length: 2_000 }, (_, index) => `e${index}`))
    }
  })
})
