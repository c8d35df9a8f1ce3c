import { recordingListener } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { connectedBus, freshChannel, makeEvent, openServer } from './service.ts'

describe('an event whose bytes are made when they are asked for', () => {
  it('is asked once, however often it is sent, refused ones included', async () => {
    const server = await openServer()
    const bus = await connectedBus({ url: server.url, maxPayloadBytes: 100, publishTimeoutMs: 20_000 })
    const channel = freshChannel()
    const recording = recordingListener()
    await bus.subscribe(channel, { from: 'live' }, recording.listener)
    let lookCount = 0
    const event = (eventId: string, bytes: number) =>
      Object.defineProperty(makeEvent(channel, { eventId }), 'data', {
        enumerable: true,
        get() {
          lookCount += 1
          return new Uint8Array(bytes).fill(lookCount) // other bytes at each look
        },
      })
    server.pause()
    const publishing = bus.publish(event('e1', 100))
    await server.kill() // it is sent again
    await server.start()
    await publishing
    await recording.receivedId('e1')
    await expect(bus.publish(event('e2', 101))).rejects.toMatchObject({ code: 'EVENT_TOO_LARGE' })
    expect(lookCount).toBe(2)
    expect(recording.events.map(({ event: { data } }) => [data.length, new Set(data)])).toEqual([[100, new Set([1])]])
  })
})
