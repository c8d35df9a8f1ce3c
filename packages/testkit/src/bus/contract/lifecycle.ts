import type { BusStatus } from '@sluice/core'
import { describe, expect, it } from 'vitest'
import type { BusContractFactory } from '../bus-contract-factory.ts'
import { recordingListener } from '../recording-listener.ts'
import { freshChannel, makeEvent, openBackend, publishMany } from './fixture.ts'

/** Status, drain and the end. */
export function lifecycleContract(factory: BusContractFactory): void {
  describe('lifecycle', () => {
    it('is up until it is closed, and tells observers that are still there', async () => {
      const { bus } = await openBackend(factory)
      const heard: BusStatus[] = []
      const removed: BusStatus[] = []
      bus.observe({ onStatus: (status) => heard.push(status) })
      const remove = bus.observe({ onStatus: (status) => removed.push(status) })
      remove()
      remove()
      expect(bus.status()).toBe('up')
      await bus.close()
      expect(bus.status()).toBe('closed')
      expect(heard).toEqual(['closed'])
      expect(removed).toEqual([])
    })

    it('goes on when an observer throws', async () => {
      const { bus } = await openBackend(factory)
      const channel = freshChannel()
      const fail = (): never => {
        throw new Error('an observer threw')
      }
      bus.observe({ onStatus: fail, onError: fail })
      const recording = recordingListener(fail)
      await bus.subscribe(channel, { from: 'live' }, recording.listener)
      await publishMany(bus, channel, 'e', 2)
      await recording.received(2)
      await bus.close()
      expect(bus.status()).toBe('closed')
    })

    it('has settled every publish that was under way when it is drained, and takes new ones', async () => {
      const { bus } = await openBackend(factory)
      const channel = freshChannel()
      let settled = 0
      for (let index = 0; index < 100; index += 1) {
        void bus.publish(makeEvent(channel)).then(() => {
          settled += 1
        })
      }
      await bus.drain()
      expect(settled).toBe(100)
      await expect(bus.publish(makeEvent(channel))).resolves.toMatchObject({ duplicate: false })
    })

    it('tells each listener its end as the last thing, once, and the closed ones nothing', async () => {
      const { bus } = await openBackend(factory)
      const channel = freshChannel()
      const recording = recordingListener()
      const left = recordingListener()
      await bus.subscribe(channel, { from: 'live' }, recording.listener)
      await (await bus.subscribe(channel, { from: 'live' }, left.listener)).close()
      await bus.publish(makeEvent(channel))
      await recording.received(1)
      await bus.close()
      expect(recording.events).toHaveLength(1)
      expect(recording.gaps).toEqual([])
      expect(recording.notifications.filter(({ kind }) => kind === 'status')).toEqual([
        { kind: 'status', status: 'closed' },
      ])
      expect(recording.notifications.at(-1)).toEqual({ kind: 'status', status: 'closed' })
      expect(left.notifications).toEqual([])
    })

    it('can be closed many times and at once, with subscriptions, and publishes under way settle', async () => {
      const backend = await openBackend(factory)
      const { bus } = backend
      const channel = freshChannel()
      const subscription = await bus.subscribe(channel, { from: 'live' }, recordingListener().listener)
      const publishing = Promise.allSettled(Array.from({ length: 20 }, () => bus.publish(makeEvent(channel))))
      await Promise.all([bus.close(), bus.close(), bus[Symbol.asyncDispose]()])
      await bus.close()
      await subscription.close()
      const refusals = (await publishing).filter((outcome) => outcome.status === 'rejected')
      for (const { reason } of refusals) expect(reason).toMatchObject({ name: 'SluiceError' })
      for (const [name, left] of Object.entries(await backend.leftovers())) expect(left, name).toBe(0)
    })

    it('refuses what is asked of it afterwards with BUS_CLOSED', async () => {
      const { bus } = await openBackend(factory)
      const channel = freshChannel()
      await bus.close()
      const refused = [
        bus.publish(makeEvent(channel)),
        bus.subscribe(channel, { from: 'live' }, recordingListener().listener),
        bus.history(channel, { limit: 1 }),
        bus.position(channel),
      ]
      for (const outcome of await Promise.allSettled(refused)) {
        expect(outcome).toMatchObject({ status: 'rejected', reason: { name: 'SluiceError', code: 'BUS_CLOSED' } })
      }
      await bus.drain()
      bus.observe({})()
    })
  })
}
