import { recordingListener } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { connectedBus, freshChannel, makeEvent, openClient, openServer } from '../service.ts'

const channelCount = 50
const eventsPerChannel = 2_000
const killCount = 100

describe('connections that are killed under load', () => {
  it('cost nothing: 3 instances hear 100,000 events on 50 channels, all of them, once, in one order', async () => {
    const { url, port } = await openServer()
    const client = openClient(port)
    const history = { maxCount: 10_000 }
    const instances = await Promise.all(
      [0, 1, 2].map(() => connectedBus({ url, history, heartbeatMs: 5_000, checkIntervalMs: 1_000 })),
    )
    const channels = Array.from({ length: channelCount }, (_, index) => freshChannel(`orders:${index}`))
    const logs = await Promise.all(
      instances.map((bus) =>
        Promise.all(
          channels.map(async (channel) => {
            const recording = recordingListener()
            await bus.subscribe(channel, { from: 'live' }, recording.listener)
            return recording
          }),
        ),
      ),
    )

    let publishedCount = 0
    let killedCount = 0
    const total = channelCount * eventsPerChannel
    /** Kills as the publishing goes on: so many events between two kills. */
    const killer = async (): Promise<void> => {
      const isDue = (killedCount + 1) * (total / (killCount + 10)) <= publishedCount
      if (!isDue || killedCount >= killCount) return
      killedCount += 1
      const clients = (await client.client('LIST')) as string
      const victims = clients.split('\n').filter((line) => line.includes(' name=sluice:'))
      const victim = victims[(killedCount * 7919) % victims.length]
      const id = /^id=(\d+)/.exec(victim ?? '')?.[1]
      if (id !== undefined) await client.client('KILL', 'ID', id)
    }

    // One publisher per channel and instance, so that each channel has events from everywhere.
    const publishing = channels.flatMap((channel) =>
      instances.map(async (bus, instance) => {
        const count = Math.floor(eventsPerChannel / instances.length) + (instance < eventsPerChannel % 3 ? 1 : 0)
        for (let index = 0; index < count; index += 1) {
          await bus.publish(makeEvent(channel, { eventId: `${instance}:${index}` }))
          publishedCount += 1
          await killer()
        }
      }),
    )
    await Promise.all(publishing)
    expect(publishedCount).toBe(total)
    expect(killedCount).toBe(killCount)

    await Promise.all(logs.flat().map((recording) => recording.received(eventsPerChannel)))
    for (const [index, channel] of channels.entries()) {
      const committed: string[] = []
      const page = await instances[0]?.history(channel, { limit: eventsPerChannel + 1 })
      for (const { event } of page?.events ?? []) committed.push(event.eventId)
      expect(new Set(committed).size).toBe(eventsPerChannel)
      for (const recordings of logs) {
        expect(recordings[index]?.eventIds).toEqual(committed)
        expect(recordings[index]?.gaps).toEqual([])
      }
    }
  }, 120_000)
})
