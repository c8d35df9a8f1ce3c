import { describe, expect, it } from 'vitest'
import type { BusContractFactory } from '../bus-contract-factory.ts'
import { recordingListener } from '../recording-listener.ts'
import { freshChannel, makeEvent, numbered, openBackend, publishMany } from './fixture.ts'

/** One order for everybody, and everything once. */
export function orderContract(factory: BusContractFactory): void {
  describe('order', () => {
    it('is the order of publishing, each event once', async () => {
      const { bus } = await openBackend(factory)
      const channel = freshChannel()
      const recording = recordingListener()
      await bus.subscribe(channel, { from: 'live' }, recording.listener)
      await publishMany(bus, channel, 'e', 500)
      await recording.received(500)
      await bus.publish(makeEvent(channel, { eventId: 'last' }))
      await recording.receivedId('last')
      expect(recording.eventIds).toEqual([...numbered('e', 1, 500), 'last'])
    })

    it('is the same for all listeners, also of events published at once', async () => {
      const { bus } = await openBackend(factory)
      const channel = freshChannel()
      const recordings = Array.from({ length: 5 }, () => recordingListener())
      for (const { listener } of recordings) await bus.subscribe(channel, { from: 'live' }, listener)
      const receipts = await Promise.all(
        numbered('e', 1, 200).map((eventId) => bus.publish(makeEvent(channel, { eventId }))),
      )
      const [reference, ...others] = await Promise.all(recordings.map((recording) => recording.received(200)))
      expect(new Set(reference?.map(({ event }) => event.eventId)).size).toBe(200)
      for (const heard of others) expect(heard).toEqual(reference)
      const positions = new Map(numbered('e', 1, 200).map((eventId, index) => [eventId, receipts[index]?.position]))
      for (const { event, position } of reference ?? []) expect(position).toBe(positions.get(event.eventId))
    })

    it('holds on each of many channels that are published to at once', async () => {
      const { bus } = await openBackend(factory)
      const channels = Array.from({ length: 20 }, freshChannel)
      await Promise.all(
        channels.map(async (channel) => {
          const recording = recordingListener()
          await bus.subscribe(channel, { from: 'live' }, recording.listener)
          await publishMany(bus, channel, 'e', 30)
          await recording.received(30)
          expect(recording.eventIds).toEqual(numbered('e', 1, 30))
        }),
      )
    })

    it('holds for what a listener publishes while it is called: it comes later, for everybody', async () => {
      const { bus } = await openBackend(factory)
      const channel = freshChannel()
      const answered = recordingListener((notification) => {
        if (notification.kind === 'event' && notification.event.eventId === 'question') {
          void bus.publish(makeEvent(channel, { eventId: 'answer' }))
        }
      })
      const other = recordingListener()
      await bus.subscribe(channel, { from: 'live' }, answered.listener)
      await bus.subscribe(channel, { from: 'live' }, other.listener)
      await bus.publish(makeEvent(channel, { eventId: 'question' }))
      await Promise.all([answered.receivedId('answer'), other.receivedId('answer')])
      expect(answered.eventIds).toEqual(['question', 'answer'])
      expect(other.eventIds).toEqual(['question', 'answer'])
    })
  })
}
