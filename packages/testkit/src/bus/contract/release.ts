import type { BusSubscription } from '@sluice/core'
import { describe, expect, it } from 'vitest'
import type { BusContractBackend, BusContractFactory } from '../bus-contract-factory.ts'
import { recordingListener } from '../recording-listener.ts'
import { freshChannel, makeEvent, openBackend } from './fixture.ts'

/** What is closed or aborted leaves nothing behind. */
export function releaseContract(factory: BusContractFactory): void {
  describe('release', () => {
    it('leaves nothing after 1,000 subscriptions one after another, on one channel and on many', async () => {
      const backend = await openBackend(factory)
      const one = freshChannel()
      const { listener } = recordingListener()
      for (let round = 0; round < 1_000; round += 1) {
        const channel = round % 2 === 0 ? one : { ...one, name: `orders:${round}` }
        const subscription = await backend.bus.subscribe(channel, { from: 'live' }, listener)
        await subscription.close()
      }
      await expectNothingLeft(backend)
    })

    it('leaves nothing after 1,000 subscriptions at once', async () => {
      const backend = await openBackend(factory)
      const one = freshChannel()
      const { listener } = recordingListener()
      const ending = Array.from({ length: 1_000 }, async (_, index) => {
        const channel = { ...one, name: `orders:${index % 50}` }
        const subscription = await backend.bus.subscribe(channel, { from: 'live' }, listener)
        await subscription[Symbol.asyncDispose]()
      })
      await Promise.all(ending)
      await expectNothingLeft(backend)
    })

    it('can be asked for twice, and at once', async () => {
      const { bus } = await openBackend(factory)
      const channel = freshChannel()
      const other = recordingListener()
      const subscription = await bus.subscribe(channel, { from: 'live' }, recordingListener().listener)
      await bus.subscribe(channel, { from: 'live' }, other.listener)
      await Promise.all([subscription.close(), subscription.close()])
      await subscription.close()
      await bus.publish(makeEvent(channel))
      await other.received(1)
    })

    it('keeps a channel that is opened again while it is closed', async () => {
      const { bus } = await openBackend(factory)
      const channel = freshChannel()
      let current: BusSubscription = await bus.subscribe(channel, { from: 'live' }, recordingListener().listener)
      for (let round = 0; round < 100; round += 1) {
        const recording = recordingListener()
        const [, next] = await Promise.all([
          current.close(),
          bus.subscribe(channel, { from: 'live' }, recording.listener),
        ])
        await bus.publish(makeEvent(channel, { eventId: `round ${round}` }))
        await recording.receivedId(`round ${round}`)
        expect(recording.events).toHaveLength(1)
        current = next
      }
    })

    it('rejects with the reason of a signal that is aborted already', async () => {
      const backend = await openBackend(factory)
      const reason = new Error('nobody waits any more')
      const channel = freshChannel()
      const recording = recordingListener()
      const options = { from: 'live', signal: AbortSignal.abort(reason) } as const
      await expect(backend.bus.subscribe(channel, options, recording.listener)).rejects.toBe(reason)
      await expectNothingLeft(backend)
      expect(recording.notifications).toEqual([])
    })

    it('leaves nothing, and calls nobody, after 1,000 aborts around the acknowledgement', async () => {
      const backend = await openBackend(factory)
      const channel = freshChannel()
      const reason = new Error('nobody waits any more')
      const aborted = recordingListener()
      const outcomes = Array.from({ length: 1_000 }, async (_, index) => {
        const controller = new AbortController()
        const subscribing = backend.bus.subscribe(
          { ...channel, name: `orders:${index % 50}` },
          { from: 'live', signal: controller.signal },
          aborted.listener,
        )
        controller.abort(reason)
        // A bus that acknowledged within the call was faster than the signal; then closing is ours to do.
        const outcome = await subscribing.catch((error: unknown) => error)
        if (outcome === reason) return
        await (outcome as BusSubscription).close()
      })
      await Promise.all(outcomes)
      await expectNothingLeft(backend)
      const recording = recordingListener()
      await backend.bus.subscribe({ ...channel, name: 'orders:0' }, { from: 'live' }, recording.listener)
      await backend.bus.publish(makeEvent({ ...channel, name: 'orders:0' }))
      await recording.received(1)
      expect(aborted.events).toEqual([])
    })

    it('leaves a subscription alone whose signal is aborted after the acknowledgement', async () => {
      const { bus } = await openBackend(factory)
      const channel = freshChannel()
      const controller = new AbortController()
      const recording = recordingListener()
      await bus.subscribe(channel, { from: 'live', signal: controller.signal }, recording.listener)
      controller.abort()
      await bus.publish(makeEvent(channel))
      await recording.received(1)
    })
  })
}

async function expectNothingLeft({ leftovers }: BusContractBackend): Promise<void> {
  for (const [name, left] of Object.entries(await leftovers())) expect(left, name).toBe(0)
}
