import { describe, expect, it } from 'vitest'
import type { BusContractFactory } from '../bus-contract-factory.ts'
import { recordingListener } from '../recording-listener.ts'
import { freshChannel, makeEvent, openBackend } from './fixture.ts'

/** One `eventId` on one channel is one event. */
export function idempotencyContract(factory: BusContractFactory): void {
  describe.runIf(factory.capabilities.dedupWindowMs > 0)('idempotent publish', () => {
    it('takes a repeated eventId for the same event and says where it is', async () => {
      const { bus } = await openBackend(factory)
      const channel = freshChannel()
      const recording = recordingListener()
      await bus.subscribe(channel, { from: 'live' }, recording.listener)
      const event = makeEvent(channel, { eventId: 'same' })
      const first = await bus.publish(event)
      await bus.publish(makeEvent(channel, { eventId: 'between' }))
      const second = await bus.publish(event)
      await bus.publish(makeEvent(channel, { eventId: 'last' }))
      await recording.receivedId('last')
      expect(recording.eventIds).toEqual(['same', 'between', 'last'])
      expect(first.duplicate).toBe(false)
      expect(second).toEqual({ position: first.position, duplicate: true })
    })

    it('does so when it is published many times at once', async () => {
      const { bus } = await openBackend(factory)
      const channel = freshChannel()
      const recording = recordingListener()
      await bus.subscribe(channel, { from: 'live' }, recording.listener)
      const event = makeEvent(channel, { eventId: 'same' })
      const receipts = await Promise.all(Array.from({ length: 30 }, () => bus.publish(event)))
      await bus.publish(makeEvent(channel, { eventId: 'last' }))
      await recording.receivedId('last')
      expect(recording.eventIds).toEqual(['same', 'last'])
      expect(receipts.filter(({ duplicate }) => !duplicate)).toHaveLength(1)
      expect(new Set(receipts.map(({ position }) => position)).size).toBe(1)
    })

    it('takes the same eventId on another channel for another event', async () => {
      const { bus } = await openBackend(factory)
      const here = freshChannel()
      const channels = [here, { ...here, name: 'parcels' }, freshChannel()]
      for (const channel of channels) {
        const recording = recordingListener()
        await bus.subscribe(channel, { from: 'live' }, recording.listener)
        expect(await bus.publish(makeEvent(channel, { eventId: 'same' }))).toMatchObject({ duplicate: false })
        await recording.receivedId('same')
      }
    })
  })
}
