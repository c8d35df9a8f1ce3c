import { recordingListener, until } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { connectedBus, freshChannel, makeEvent, numbered, openClient, openServer } from '../service.ts'

const mebibyte = 1_048_576

describe('events that are large', () => {
  it('are read one or few at a time, whatever many are kept', async () => {
    const { url, port } = await openServer()
    const bus = await connectedBus({ url, maxPayloadBytes: 4 * mebibyte })
    const channel = freshChannel()
    const from = await bus.position(channel)
    const ids = numbered('e', 1, 24)
    for (const eventId of ids) {
      await bus.publish(makeEvent(channel, { eventId, data: Buffer.alloc(4 * mebibyte, eventId) }))
    }
    const client = openClient(port)
    await client.config('RESETSTAT')
    const recording = recordingListener()
    await bus.subscribe(channel, { from }, recording.listener)
    await recording.received(24)
    expect(recording.eventIds).toEqual(ids)
    expect(recording.gaps).toEqual([])
    for (const { event } of recording.events) {
      expect(Buffer.from(event.data).equals(Buffer.alloc(4 * mebibyte, event.eventId))).toBe(true)
    }
    // A page is at its limit with the first of them, so each is a page of its own.
    const stats = await client.info('commandstats')
    expect(Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1])).toBeGreaterThanOrEqual(24)
  })

  it('for which Redis breaks the connections of subscribers arrive all the same, once and in order', async () => {
    const { url, port } = await openServer()
    const client = openClient(port)
    await client.config('SET', 'client-output-buffer-limit', 'pubsub 1mb 512kb 1')
    const [bus, publisher] = [await connectedBus({ url }), await connectedBus({ url })]
    const channel = freshChannel()
    const recording = recordingListener()
    const statuses: string[] = []
    bus.observe({ onStatus: (status) => statuses.push(status) })
    await bus.subscribe(channel, { from: 'live' }, recording.listener)
    const ids = numbered('e', 1, 40)
    await Promise.all(
      ids.map((eventId) => publisher.publish(makeEvent(channel, { eventId, data: Buffer.alloc(900_000) }))),
    )
    await recording.received(40)
    expect(statuses).toContain('degraded')
    expect(recording.eventIds).toEqual(ids)
    expect(recording.gaps).toEqual([])
    await until(() => bus.status() === 'up', 'it is up again')
  })
})
