import type { Buffer } from 'node:buffer'
import { recordingListener, startFaultProxy, until } from '@sluice/testkit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { connectedBus, freshChannel, openClient, openServer, publishMany } from '../service.ts'

/** The beginning of an answer to where one channel is whose record that question made. */
const answerStart = '*2\r\n$28\r\n'

describe('an answer to where a channel is', () => {
  it('from before the wire broke again, does not hide what was lost then', async () => {
    const server = await openServer()
    const proxy = await startFaultProxy(server.port)
    onTestFinished(() => proxy.close())
    const publisher = await connectedBus({ url: server.url })
    const url = `redis://127.0.0.1:${proxy.port}`
    // Nothing is noticed by a check or a heartbeat.
    const bus = await connectedBus({ url, heartbeatMs: 60_000, checkIntervalMs: 600_000 })
    const channel = freshChannel()
    const recording = recordingListener()
    await bus.subscribe(channel, { from: 'live' }, recording.listener)

    const held: Buffer[] = []
    let isHolding = true
    proxy.intercept = (chunk, direction) => {
      if (direction === 'toServer') return [chunk]
      if (chunk.includes('message') && chunk.includes('"i":"e1"')) return [] // lost on the wire
      if (!chunk.toString('latin1').startsWith(answerStart)) return [chunk]
      if (!isHolding) return [...held.splice(0), chunk]
      held.push(chunk)
      return []
    }
    const client = openClient(server.port)
    await client.client('KILL', 'TYPE', 'pubsub')
    await until(() => held.length === 1, 'it is back, and Redis said where the channel is')
    await publishMany(publisher, channel, 'e', 1, 1)
    await client.client('KILL', 'TYPE', 'pubsub')
    await until(() => held.length === 2, 'it is back again')
    isHolding = false
    await bus.position(channel) // whose answer brings the others
    await recording.received(1)
    expect(recording.eventIds).toEqual(['e1'])
    expect(recording.gaps).toEqual([])
  })
})
