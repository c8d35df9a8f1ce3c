import type { BusSubscription } from '@sluice/core'
import { recordingListener } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { connectedBus, freshChannel, makeEvent, numbered, openServer, publishMany } from '../service.ts'

describe('a listener', () => {
  it('that throws at everything, live and in a replay, disturbs nobody, and each exception is told to the observers', async () => {
    const { url } = await openServer()
    const bus = await connectedBus({ url })
    const errors: unknown[] = []
    bus.observe({ onError: (error) => errors.push(error) })
    bus.observe({
      onError: () => {
        throw new Error('an observer that throws as well')
      },
    })
    const channel = freshChannel()
    const from = await bus.position(channel)
    await publishMany(bus, channel, 'e', 1, 300)
    const thrown = new Error('thrown by a listener')
    const throwing = recordingListener(() => {
      throw thrown
    })
    const others = [recordingListener(), recordingListener()]
    await bus.subscribe(channel, { from }, throwing.listener)
    await bus.subscribe(channel, { from }, others[0]?.listener ?? (() => {}))
    await bus.subscribe(channel, { from: 'live' }, throwing.listener)
    await bus.subscribe(channel, { from: 'live' }, others[1]?.listener ?? (() => {}))
    await publishMany(bus, channel, 'e', 301, 400)
    await Promise.all(others.map((recording) => recording.receivedId('e400')))
    await throwing.received(500)
    expect(others[0]?.eventIds).toEqual(numbered('e', 1, 400))
    expect(others[1]?.eventIds).toEqual(numbered('e', 301, 400))
    expect(errors).toHaveLength(500)
    expect(errors.every((error) => error === thrown)).toBe(true)
  })

  it('that closes itself within a replay, a page, or the last frame hears nothing more, and the next is whole', async () => {
    const { url } = await openServer()
    const bus = await connectedBus({ url, lingerMs: 0 })
    const channel = freshChannel()
    const from = await bus.position(channel)
    await publishMany(bus, channel, 'e', 1, 600)
    for (const last of [1, 255, 256, 257, 600]) {
      let subscription: BusSubscription | undefined
      const closing = recordingListener(() => {
        if (closing.events.length === last) void subscription?.close()
      })
      subscription = await bus.subscribe(channel, { from }, closing.listener)
      const whole = recordingListener()
      const other = await bus.subscribe(channel, { from }, whole.listener)
      await Promise.all([closing.received(last), whole.received(600)])
      expect(closing.eventIds).toEqual(numbered('e', 1, last))
      expect(whole.eventIds).toEqual(numbered('e', 1, 600))
      await other.close()
    }
  })

  it('that closes the bus hears `closed` as its last, and so does everybody; nothing comes after it', async () => {
    const { url } = await openServer()
    const bus = await connectedBus({ url })
    const channel = freshChannel()
    const from = await bus.position(channel)
    await publishMany(bus, channel, 'e', 1, 50)
    let closing: Promise<void> | undefined
    const recordings = [
      recordingListener((one) => {
        if (one.kind === 'event' && one.event.eventId === 'e20') closing = bus.close()
      }),
      recordingListener(),
      recordingListener(),
    ]
    await Promise.all(recordings.map(({ listener }) => bus.subscribe(channel, { from }, listener)))
    await Promise.all(
      recordings.map((recording) => recording.heard((one) => one.kind === 'status' && one.status === 'closed')),
    )
    await closing
    for (const { notifications } of recordings) {
      expect(notifications.filter(({ kind }) => kind === 'status')).toEqual([{ kind: 'status', status: 'closed' }])
      expect(notifications.at(-1)).toEqual({ kind: 'status', status: 'closed' })
    }
    expect(bus.stats()).toEqual({ channelCount: 0, subscriptionCount: 0, pendingPublishCount: 0 })
  })

  it('that publishes and subscribes from within is told in order', async () => {
    const { url } = await openServer()
    const bus = await connectedBus({ url })
    const channel = freshChannel()
    const inner = recordingListener()
    const subscribing: Promise<unknown>[] = []
    const outer = recordingListener((one) => {
      if (one.kind !== 'event' || outer.events.length > 20) return
      void bus.publish(makeEvent(channel, { eventId: `from within ${outer.events.length}` }))
      subscribing.push(bus.subscribe(channel, { from: one.position }, inner.listener))
    })
    await bus.subscribe(channel, { from: 'live' }, outer.listener)
    await bus.publish(makeEvent(channel, { eventId: 'first' }))
    await outer.receivedId('from within 20')
    await Promise.all(subscribing)
    expect(outer.eventIds).toEqual(['first', ...numbered('from within ', 1, 20)])
    // The n-th of them subscribed after the n-th event: n events remain for 20 - n + 1.
    await inner.received((20 * 21) / 2)
    expect(inner.gaps).toEqual([])
  })
})
