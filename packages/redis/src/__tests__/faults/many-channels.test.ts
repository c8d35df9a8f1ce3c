import type { ChannelKey } from '@sluice/core'
import { type RecordingListener, recordingListener, startFaultProxy, until } from '@sluice/testkit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { connectedBus, freshChannel, makeEvent, openClient, openServer } from '../service.ts'

const channelCount = 5_000

describe('thousands of channels', () => {
  it('are whole after a connection that was gone for a while, with few commands, and are given up again', async () => {
    const { url, port } = await openServer()
    const proxy = await startFaultProxy(port)
    onTestFinished(() => proxy.close())
    const publisher = await connectedBus({ url, publishTimeoutMs: 30_000 })
    const bus = await connectedBus({
      url: `redis://127.0.0.1:${proxy.port}`,
      heartbeatMs: 1_000,
      checkIntervalMs: 600_000,
    })
    const { tenantId } = freshChannel()
    const listening = await Promise.all(
      Array.from({ length: channelCount }, async (_, index): Promise<[ChannelKey, RecordingListener]> => {
        const channel: ChannelKey = { tenantId, name: `c${index}` }
        const recording = recordingListener()
        await bus.subscribe(channel, { from: 'live' }, recording.listener)
        return [channel, recording]
      }),
    )
    const publishToAll = (eventId: string) =>
      Promise.all(listening.map(([channel]) => publisher.publish(makeEvent(channel, { eventId }))))
    await publishToAll('e1')
    await Promise.all(listening.map(([, recording]) => recording.received(1)))

    proxy.swallow('both')
    await until(() => bus.status() === 'down', 'the bus knows')
    await publishToAll('e2')
    const client = openClient(port)
    await client.config('RESETSTAT')
    proxy.swallow('nothing')
    await Promise.all(listening.map(([, recording]) => recording.received(2)))
    const stats = await client.info('commandstats')
    const calls = (name: string): number => Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1])
    const batchCount = Math.ceil(channelCount / 256)
    expect(calls('subscribe')).toBeLessThanOrEqual(batchCount)
    // A page for each channel; and for the tops a script for each partition that is in a batch.
    expect(calls('evalsha')).toBeLessThanOrEqual(channelCount + batchCount * 64)

    await publishToAll('e3')
    await Promise.all(listening.map(([, recording]) => recording.received(3)))
    for (const [, recording] of listening) {
      expect(recording.eventIds).toEqual(['e1', 'e2', 'e3'])
      expect(recording.gaps).toEqual([])
    }
    await bus.close()
    proxy.cut() // the connections whose end it swallowed
    await until(async () => ((await client.pubsub('CHANNELS', '*')) as string[]).length === 0, 'none is left')
  }, 60_000)
})
