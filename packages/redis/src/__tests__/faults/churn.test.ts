import { recordingListener, until } from '@sluice/testkit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { connectedBus, freshChannel, makeEvent, numbered, openClient, openServer } from '../service.ts'

describe('subscribing', () => {
  it('1,000 times while events are published without a pause is contiguous from the acknowledged position', async () => {
    const { url } = await openServer()
    const [bus, publisher] = await Promise.all([
      connectedBus({ url, lingerMs: 0, history: { maxCount: 100_000 } }),
      connectedBus({ url }),
    ])
    const channel = freshChannel()
    let publishedCount = 0
    let isOver = false
    const publishing = (async () => {
      while (!isOver) {
        const batch = numbered('e', publishedCount + 1, publishedCount + 4)
        publishedCount += batch.length
        await Promise.all(batch.map((eventId) => publisher.publish(makeEvent(channel, { eventId }))))
      }
    })()
    // In threes, so that some find the channel open and others open it.
    for (let round = 0; round < 334; round += 1) {
      await Promise.all(
        [0, 1, 2].map(async () => {
          const recording = recordingListener()
          const subscription = await bus.subscribe(channel, { from: 'live' }, recording.listener)
          await recording.received(3)
          await subscription.close()
          const heard = recording.eventIds
          const first = Number(heard[0]?.slice(1))
          expect(heard).toEqual(numbered('e', first, first + heard.length - 1))
          const { events } = await bus.history(channel, { after: subscription.position, limit: 3 })
          expect(events.map(({ event }) => event.eventId)).toEqual(heard.slice(0, 3))
          expect(recording.gaps).toEqual([])
        }),
      )
    }
    isOver = true
    await publishing
  })

  it('and giving up before the acknowledgement, 10,000 times, leaves nothing and throws nothing', async () => {
    const { url, port } = await openServer()
    const unhandled: unknown[] = []
    const onUnhandled = (reason: unknown): void => void unhandled.push(reason)
    process.on('unhandledRejection', onUnhandled)
    onTestFinished(() => void process.off('unhandledRejection', onUnhandled))
    const bus = await connectedBus({ url })
    const errors: unknown[] = []
    bus.observe({ onError: (error) => errors.push(error) })
    const { tenantId } = freshChannel()
    const recording = recordingListener()
    const reason = new Error('nobody waits any more')
    let abortedCount = 0
    for (let round = 0; round < 100; round += 1) {
      await Promise.all(
        Array.from({ length: 100 }, async (_, index) => {
          const controller = new AbortController()
          const subscribing = bus.subscribe(
            { tenantId, name: `c${index % 10}` },
            { from: 'live', signal: controller.signal },
            recording.listener,
          )
          if (index % 3 === 0) controller.abort(reason)
          else if (index % 3 === 1) queueMicrotask(() => controller.abort(reason))
          else setImmediate(() => controller.abort(reason))
          try {
            await (await subscribing).close()
          } catch (error) {
            expect(error).toBe(reason)
            abortedCount += 1
          }
        }),
      )
    }
    expect(abortedCount).toBeGreaterThan(6_000)
    const client = openClient(port)
    await until(async () => ((await client.pubsub('CHANNELS', '*')) as string[]).length === 0, 'no channel lingers')
    expect(bus.stats()).toEqual({ channelCount: 0, subscriptionCount: 0, pendingPublishCount: 0 })
    expect([...unhandled, ...errors]).toEqual([])
    expect(recording.notifications).toEqual([])
  })
})
