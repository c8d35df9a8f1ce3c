import type { Buffer } from 'node:buffer'
import type { ChannelKey } from '@sluice/core'
import { type FaultProxy, type RecordingListener, recordingListener, startFaultProxy, until } from '@sluice/testkit'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { RedisBus } from '../../redis-bus.ts'
import type { RedisBusOptions } from '../../redis-bus-options.ts'
import { connectedBus, freshChannel, makeEvent, numbered, openServer, publishMany } from '../service.ts'

const checkIntervalMs = 800

interface Wire {
  readonly proxy: FaultProxy
  readonly publisher: RedisBus
  readonly bus: RedisBus
  readonly channel: ChannelKey
  readonly recording: RecordingListener
}

/** A subscriber behind a proxy, and a publisher that is not. */
async function openWire(options: RedisBusOptions = {}): Promise<Wire> {
  const server = await openServer()
  const proxy = await startFaultProxy(server.port)
  onTestFinished(() => proxy.close())
  const publisher = await connectedBus({ url: server.url })
  const bus = await connectedBus({
    url: `redis://127.0.0.1:${proxy.port}`,
    heartbeatMs: 10_000,
    checkIntervalMs,
    ...options,
  })
  const channel = freshChannel()
  const recording = recordingListener()
  await bus.subscribe(channel, { from: 'live' }, recording.listener)
  await publishMany(publisher, channel, 'e', 1, 3)
  await recording.received(3)
  return { proxy, publisher, bus, channel, recording }
}

/** Whether a chunk is a pub/sub message that brings this event. */
function brings(chunk: Buffer, eventId: string): boolean {
  return chunk.includes(`"i":"${eventId}"`) && chunk.includes('message')
}

describe('a message that is lost on the wire', () => {
  it('if it is the last, then silence, is delivered within the check interval', async () => {
    const { proxy, publisher, channel, recording } = await openWire()
    proxy.intercept = (chunk) => (brings(chunk, 'e4') ? [] : [chunk])
    await publishMany(publisher, channel, 'e', 4, 4)
    const lostAt = performance.now()
    await recording.received(4)
    expect(performance.now() - lostAt).toBeLessThan(checkIntervalMs + 400)
    expect(recording.eventIds).toEqual(numbered('e', 1, 4))
    expect(recording.gaps).toEqual([])
  })

  it('if another follows, is delivered with that', async () => {
    const { proxy, publisher, channel, recording } = await openWire({ checkIntervalMs: 600_000 })
    proxy.intercept = (chunk) => (brings(chunk, 'e4') || brings(chunk, 'e5') ? [] : [chunk])
    await publishMany(publisher, channel, 'e', 4, 6)
    await recording.received(6)
    expect(recording.eventIds).toEqual(numbered('e', 1, 6))
    expect(recording.gaps).toEqual([])
  })
})

describe('messages that come', () => {
  it('twice, late, in another order, or long after, are told once and in order', async () => {
    const { proxy, publisher, channel, recording } = await openWire({ checkIntervalMs: 600_000 })
    let held: Buffer[] = []
    const stale: Buffer[] = []
    proxy.intercept = (chunk, direction) => {
      if (direction === 'toServer' || !chunk.includes('message')) return [chunk]
      if (brings(chunk, 'e5') || brings(chunk, 'e6')) {
        held.push(chunk) // behind the next one, the later first
        return []
      }
      if (brings(chunk, 'e4')) stale.push(chunk)
      const released = held.reverse()
      held = []
      return [chunk, chunk, ...released, ...(brings(chunk, 'e9') ? [...stale, ...stale] : [])]
    }
    // One at a time, so that each message is a chunk of its own.
    for (const eventId of numbered('e', 4, 10)) {
      await publisher.publish(makeEvent(channel, { eventId }))
      if (eventId !== 'e5' && eventId !== 'e6') await recording.receivedId(eventId)
    }
    await publishMany(publisher, channel, 'e', 11, 12)
    await recording.receivedId('e12')
    expect(stale).toHaveLength(1)
    expect(recording.eventIds).toEqual(numbered('e', 1, 12))
    expect(recording.gaps).toEqual([])
  })
})

describe('a reply to a publish that is lost', () => {
  it('has it sent again with the same eventId: one event, and its receipt says so', async () => {
    const { proxy, publisher, bus, channel, recording } = await openWire()
    proxy.intercept = (chunk, direction) => {
      if (direction === 'toServer' && chunk.includes('"i":"e4"')) {
        proxy.intercept = undefined
        // Redis gets it, and the connection breaks before the answer is there.
        proxy.swallow('toClient')
        setImmediate(() => void until(isPublished, 'Redis has it').then(breakConnections))
      }
      return [chunk]
    }
    const start = await publisher.position(channel)
    const isPublished = async () => (await publisher.position(channel)) !== start
    const breakConnections = () => {
      proxy.swallow('nothing')
      proxy.cut()
    }
    const receipt = await bus.publish(makeEvent(channel, { eventId: 'e4' }))
    expect(receipt.duplicate).toBe(true)
    await publishMany(publisher, channel, 'e', 5, 5)
    await recording.received(5)
    expect(recording.eventIds).toEqual(numbered('e', 1, 5))
    expect((await publisher.history(channel, { limit: 10 })).events).toHaveLength(5)
  })

  it('where ids are not remembered is BUS_OUTCOME_UNKNOWN, and it is not sent again', async () => {
    const { proxy, publisher, bus, channel } = await openWire({ dedupWindowMs: 0 })
    const start = await publisher.position(channel)
    proxy.swallow('toClient')
    const publishing = bus.publish(makeEvent(channel, { eventId: 'e4' }))
    await until(async () => (await publisher.position(channel)) !== start, 'Redis has it')
    proxy.swallow('nothing')
    proxy.cut()
    await expect(publishing).rejects.toMatchObject({ code: 'BUS_OUTCOME_UNKNOWN', retryable: true })
    expect((await publisher.history(channel, { limit: 10 })).events).toHaveLength(4)
  })
})
