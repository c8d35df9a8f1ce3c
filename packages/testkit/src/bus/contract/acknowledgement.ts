import { describe, expect, it } from 'vitest'
import type { BusContractFactory } from '../bus-contract-factory.ts'
import { recordingListener } from '../recording-listener.ts'
import { freshChannel, idsOf, makeEvent, numbered, openBackend } from './fixture.ts'

/** When `subscribe` resolves nothing more can be missed. */
export function acknowledgementContract(factory: BusContractFactory): void {
  describe('acknowledgement', () => {
    it('lets nothing be missed that is published right after subscribe resolved', async () => {
      const { bus } = await openBackend(factory)
      for (let round = 0; round < 50; round += 1) {
        const channel = freshChannel()
        const recording = recordingListener()
        const subscription = await bus.subscribe(channel, { from: 'live' }, recording.listener)
        await bus.publish(makeEvent(channel, { eventId: 'e1' }))
        await recording.received(1)
        expect(recording.eventIds).toEqual(['e1'])
        await subscription.close()
      }
    })

    it('tells a live subscriber nothing of what was accepted before', async () => {
      const { bus } = await openBackend(factory)
      const channel = freshChannel()
      await bus.publish(makeEvent(channel, { eventId: 'before' }))
      const recording = recordingListener()
      await bus.subscribe(channel, { from: 'live' }, recording.listener)
      await bus.publish(makeEvent(channel, { eventId: 'after' }))
      await recording.receivedId('after')
      expect(recording.eventIds).toEqual(['after'])
    })

    it('is contiguous from the acknowledged position while events are published all the time', async () => {
      const { bus } = await openBackend(factory)
      const channel = freshChannel()
      const total = { started: 0 }
      let isOver = false
      const publisher = (async () => {
        while (!isOver) {
          total.started += 1
          await bus.publish(makeEvent(channel, { eventId: `e${total.started}` }))
        }
      })()
      for (let round = 0; round < 200; round += 1) {
        const recording = recordingListener()
        const subscription = await bus.subscribe(channel, { from: 'live' }, recording.listener)
        const startedAtAcknowledgement = total.started
        await recording.received(3)
        await subscription.close()
        const first = Number(recording.eventIds[0]?.slice(1))
        expect(first).toBeLessThanOrEqual(startedAtAcknowledgement + 1)
        expect(recording.eventIds).toEqual(numbered('e', first, first + recording.events.length - 1))
        if (factory.capabilities.history) {
          const page = await bus.history(channel, { after: subscription.position, limit: 3 })
          expect(idsOf(page)).toEqual(recording.eventIds.slice(0, 3))
        }
      }
      isOver = true
      await publisher
    })
  })
}
