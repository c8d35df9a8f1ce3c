import { type Direction, recordingListener, startFaultProxy, until } from '@sluice/testkit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { connectedBus, freshChannel, isUp, makeEvent, numbered, openBus, openServer, publishMany } from '../service.ts'

const heartbeatMs = 800

describe('a proxy that swallows what goes through it', () => {
  it.each<[Direction | 'both']>([['toClient'], ['toServer'], ['both']])(
    '(%s) is noticed within two heartbeats, and nothing is lost',
    async (direction) => {
      const server = await openServer()
      const proxy = await startFaultProxy(server.port)
      onTestFinished(() => proxy.close())
      const publisher = await connectedBus({ url: server.url })
      const bus = await connectedBus({ url: `redis://127.0.0.1:${proxy.port}`, heartbeatMs, checkIntervalMs: 60_000 })
      const channel = freshChannel()
      const recording = recordingListener()
      await bus.subscribe(channel, { from: 'live' }, recording.listener)
      await publishMany(publisher, channel, 'e', 1, 10)
      await recording.received(10)

      proxy.swallow(direction)
      const swallowedAt = performance.now()
      await publishMany(publisher, channel, 'e', 11, 20)
      await until(() => bus.status() === 'down', 'the bus knows')
      // The first heartbeat may be about to come when the silence begins; and a timer on a busy machine may be late.
      expect(performance.now() - swallowedAt).toBeLessThan(2 * heartbeatMs + 400)
      expect(recording.eventIds).toEqual(numbered('e', 1, direction === 'toServer' ? 20 : 10))

      proxy.swallow('nothing')
      await isUp(bus)
      await publishMany(publisher, channel, 'e', 21, 30)
      await recording.received(30)
      expect(recording.eventIds).toEqual(numbered('e', 1, 30))
      expect(recording.gaps).toEqual([])
    },
  )

  it('holds up no publish: it goes out on the next connection, once', async () => {
    const server = await openServer()
    const proxy = await startFaultProxy(server.port)
    onTestFinished(() => proxy.close())
    const bus = await connectedBus({ url: `redis://127.0.0.1:${proxy.port}`, heartbeatMs })
    const channel = freshChannel()
    const recording = recordingListener()
    await bus.subscribe(channel, { from: 'live' }, recording.listener)
    proxy.swallow('toClient') // Redis takes them, and we do not know
    const publishing = Promise.all(numbered('e', 1, 50).map((eventId) => bus.publish(makeEvent(channel, { eventId }))))
    await until(() => bus.status() === 'down', 'the bus knows')
    proxy.swallow('nothing')
    const receipts = await publishing
    expect(receipts.every(({ duplicate }) => duplicate)).toBe(true)
    await bus.publish(makeEvent(channel, { eventId: 'last' }))
    await recording.receivedId('last')
    expect(recording.eventIds).toEqual([...numbered('e', 1, 50), 'last'])
  })

  it('is a server that accepts connections and says nothing: it is given up, and tried again', async () => {
    const server = await openServer()
    const proxy = await startFaultProxy(server.port)
    onTestFinished(() => proxy.close())
    proxy.swallow('toClient')
    const errors: unknown[] = []
    const bus = openBus({ url: `redis://127.0.0.1:${proxy.port}`, heartbeatMs })
    bus.observe({ onError: (error) => errors.push(error) })
    await until(() => errors.length === 2, 'both connections are given up')
    expect(errors).toEqual([
      expect.objectContaining({ code: 'BUS_UNAVAILABLE', message: expect.stringContaining('did not answer') }),
      expect.objectContaining({ code: 'BUS_UNAVAILABLE', message: expect.stringContaining('did not answer') }),
    ])
    proxy.swallow('nothing')
    await isUp(bus)
  })
})
