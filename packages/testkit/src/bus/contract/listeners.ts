import type { BusSubscription } from '@sluice/core'
import { describe, expect, it } from 'vitest'
import type { BusContractFactory } from '../bus-contract-factory.ts'
import { recordingListener } from '../recording-listener.ts'
import { freshChannel, makeEvent, numbered, openBackend, publishMany } from './fixture.ts'

/** What one listener does is nobody else's business. */
export function listenersContract(factory: BusContractFactory): void {
  describe('listeners', () => {
    it('that throw go to the observers, and go on hearing; nobody else notices', async () => {
      const { bus } = await openBackend(factory)
      const channel = freshChannel()
      const errors: unknown[] = []
      bus.observe({ onError: (error) => errors.push(error) })
      const thrown = new Error('a listener threw')
      const before = recordingListener()
      const throwing = recordingListener(() => {
        throw thrown
      })
      const after = recordingListener()
      for (const { listener } of [before, throwing, after]) await bus.subscribe(channel, { from: 'live' }, listener)
      await publishMany(bus, channel, 'e', 3)
      for (const recording of [before, throwing, after]) {
        await recording.received(3)
        expect(recording.eventIds).toEqual(numbered('e', 1, 3))
      }
      expect(errors.filter((error) => error === thrown)).toHaveLength(3)
      expect(bus.status()).toBe('up')
    })

    it('that close themselves hear nothing more, from that moment on', async () => {
      const { bus } = await openBackend(factory)
      const channel = freshChannel()
      const own: { subscription?: BusSubscription } = {}
      const closing = recordingListener(() => void own.subscription?.close())
      const other = recordingListener()
      own.subscription = await bus.subscribe(channel, { from: 'live' }, closing.listener)
      await bus.subscribe(channel, { from: 'live' }, other.listener)
      await publishMany(bus, channel, 'e', 5)
      await other.received(5)
      expect(closing.eventIds).toEqual(['e1'])
      expect(other.eventIds).toEqual(numbered('e', 1, 5))
    })

    it('that are closed by another hear nothing more, from that moment on', async () => {
      const { bus } = await openBackend(factory)
      const channel = freshChannel()
      let heardAtClose: number | undefined
      const its: { subscription?: BusSubscription } = {}
      const closed = recordingListener()
      const closer = recordingListener((notification) => {
        if (notification.kind !== 'event' || notification.event.eventId !== 'e3') return
        heardAtClose = closed.notifications.length
        void its.subscription?.close()
      })
      await bus.subscribe(channel, { from: 'live' }, closer.listener)
      its.subscription = await bus.subscribe(channel, { from: 'live' }, closed.listener)
      await publishMany(bus, channel, 'e', 5)
      await closer.received(5)
      expect(closed.notifications).toHaveLength(heardAtClose ?? Number.NaN)
    })

    it('that leave do not touch others on the channel or elsewhere, nor does the last one', async () => {
      const { bus } = await openBackend(factory)
      const channel = freshChannel()
      const elsewhere = freshChannel()
      const [leaving, staying, away, back] = [
        recordingListener(),
        recordingListener(),
        recordingListener(),
        recordingListener(),
      ]
      const first = await bus.subscribe(channel, { from: 'live' }, leaving.listener)
      const second = await bus.subscribe(channel, { from: 'live' }, staying.listener)
      await bus.subscribe(elsewhere, { from: 'live' }, away.listener)
      await first.close()
      await bus.publish(makeEvent(channel, { eventId: 'e1' }))
      await staying.receivedId('e1')
      await second.close()
      await bus.publish(makeEvent(elsewhere, { eventId: 'e2' }))
      await away.receivedId('e2')
      await bus.subscribe(channel, { from: 'live' }, back.listener)
      await bus.publish(makeEvent(channel, { eventId: 'e3' }))
      await back.receivedId('e3')
      expect([leaving, staying, away, back].map(({ eventIds }) => eventIds)).toEqual([[], ['e1'], ['e2'], ['e3']])
    })

    it('may be one function on two subscriptions, each of which hears and ends for itself', async () => {
      const { bus } = await openBackend(factory)
      const channel = freshChannel()
      const recording = recordingListener()
      const first = await bus.subscribe(channel, { from: 'live' }, recording.listener)
      await bus.subscribe(channel, { from: 'live' }, recording.listener)
      await bus.publish(makeEvent(channel, { eventId: 'e1' }))
      await recording.received(2)
      await first.close()
      await bus.publish(makeEvent(channel, { eventId: 'e2' }))
      await recording.receivedId('e2')
      await bus.publish(makeEvent(channel, { eventId: 'e3' }))
      await recording.receivedId('e3')
      expect(recording.eventIds).toEqual(['e1', 'e1', 'e2', 'e3'])
    })
  })
}
