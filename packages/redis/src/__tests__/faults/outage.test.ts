import type { BusStatus, Position } from '@sluice/core'
import { freePort, recordingListener, startRedisServer, until } from '@sluice/testkit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { connectedBus, freshChannel, isUp, makeEvent, numbered, openBus, openClient, openServer } from '../service.ts'

describe('without Redis', () => {
  it('a bus is made all the same, is down, and gets through when Redis comes up', async () => {
    const port = await freePort()
    const bus = openBus({ url: `redis://127.0.0.1:${port}`, publishTimeoutMs: 15_000 })
    const heard: BusStatus[] = []
    const errors: unknown[] = []
    bus.observe({ onStatus: (status) => heard.push(status), onError: (error) => errors.push(error) })
    expect(bus.status()).toBe('down')
    const channel = freshChannel()
    const recording = recordingListener()
    const subscribing = bus.subscribe(channel, { from: 'live' }, recording.listener)
    await until(() => errors.length === 2, 'both connections failed')
    expect(errors).toEqual([
      expect.objectContaining({ code: 'BUS_UNAVAILABLE', message: expect.stringContaining(`127.0.0.1:${port}`) }),
      expect.objectContaining({ code: 'BUS_UNAVAILABLE', message: expect.stringContaining(`127.0.0.1:${port}`) }),
    ])
    const server = await startRedisServer({ port })
    onTestFinished(() => server.stop())
    await subscribing
    await bus.publish(makeEvent(channel, { eventId: 'e1' }))
    await recording.receivedId('e1')
    expect(heard.at(-1)).toBe('up')
    expect(errors).toHaveLength(2) // once per connection, not once per attempt
  })

  it('publishes, history and position fail with BUS_UNAVAILABLE after their time limit, and memory is bounded', async () => {
    const publishTimeoutMs = 400
    const bus = openBus({
      url: `redis://127.0.0.1:${await freePort()}`,
      publishTimeoutMs,
      maxPendingPublishes: 1_000,
      maxPendingBytes: 500_000,
    })
    const channel = freshChannel()
    const startedAt = performance.now()
    const publishing = Promise.allSettled(Array.from({ length: 5_000 }, () => bus.publish(makeEvent(channel))))
    expect(bus.stats().pendingPublishCount).toBe(1_000)
    const asking = Promise.allSettled([bus.history(channel, { limit: 1 }), bus.position(channel)])
    const outcomes = [...(await publishing), ...(await asking)]
    expect(performance.now() - startedAt).toBeGreaterThan(publishTimeoutMs - 10)
    expect(performance.now() - startedAt).toBeLessThan(publishTimeoutMs + 1_000)
    expect(outcomes).toHaveLength(5_002)
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { name: 'SluiceError', code: 'BUS_UNAVAILABLE' } })
    }
    expect(bus.stats().pendingPublishCount).toBe(0)

    const large = Array.from({ length: 10 }, () => bus.publish(makeEvent(channel, { data: Buffer.alloc(100_000) })))
    expect(bus.stats().pendingPublishCount).toBe(5)
    await Promise.allSettled(large)
  })

  it('for long, under load, costs no memory that grows; a subscription stays and goes on after it', async () => {
    const server = await openServer()
    const bus = await connectedBus({ url: server.url, publishTimeoutMs: 150, maxPendingPublishes: 500 })
    const channel = freshChannel()
    const recording = recordingListener()
    await bus.subscribe(channel, { from: 'live' }, recording.listener)
    await bus.publish(makeEvent(channel, { eventId: 'before' }))
    await recording.receivedId('before')
    await server.kill()
    await until(() => bus.status() === 'down', 'the bus knows')
    const codes = new Set<string>()
    const settle = (promise: Promise<unknown>) => promise.catch((error: { code: string }) => codes.add(error.code))
    let heapBytes = 0
    for (let round = 0; round < 10; round += 1) {
      await Promise.all(
        Array.from({ length: 2_000 }, () => settle(bus.publish(makeEvent(channel, { data: Buffer.alloc(1_000) })))),
      )
      globalThis.gc?.()
      if (round === 2) heapBytes = process.memoryUsage().heapUsed
    }
    globalThis.gc?.()
    expect(process.memoryUsage().heapUsed).toBeLessThan(heapBytes + 5_000_000)
    expect(codes).toEqual(new Set(['BUS_UNAVAILABLE']))
    await server.start()
    await isUp(bus)
    await bus.publish(makeEvent(channel, { eventId: 'after' }))
    await recording.receivedId('after')
    expect(recording.eventIds).toEqual(['before', 'after'])
    expect(recording.gaps.map(({ reason }) => reason)).toEqual(['epoch'])
  })

  it('costs nothing that grows for what is asked and given up, over and over', async () => {
    const bus = openBus({ url: `redis://127.0.0.1:${await freePort()}`, publishTimeoutMs: 20 })
    const channel = freshChannel()
    const staying = bus.subscribe(channel, { from: 'live' }, () => {})
    staying.catch(() => undefined) // rejected when the bus is closed
    let heapBytes = 0
    for (let round = 0; round < 12; round += 1) {
      const asking = Array.from({ length: 1_000 }, () => [
        bus.history(channel, { limit: 1 }),
        bus.position(channel),
        bus.subscribe(channel, { from: 'live', signal: AbortSignal.timeout(20) }, () => {}),
        bus.subscribe(channel, { from: 'e.1-1' as Position, signal: AbortSignal.timeout(20) }, () => {}),
      ]).flat()
      const outcomes = await Promise.allSettled(asking)
      expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true)
      globalThis.gc?.()
      if (round === 3) heapBytes = process.memoryUsage().heapUsed
    }
    expect(bus.stats()).toEqual({ channelCount: 1, subscriptionCount: 1, pendingPublishCount: 0 })
    expect(process.memoryUsage().heapUsed).toBeLessThan(heapBytes + 2_000_000)
  })

  it('that hangs: publishes are of unknown outcome, what is on its way counts, and no publish is lost or twice', async () => {
    const server = await openServer()
    const bus = await connectedBus({
      url: server.url,
      heartbeatMs: 60_000,
      publishTimeoutMs: 300,
      maxPendingPublishes: 100,
    })
    const channel = freshChannel()
    await bus.publish(makeEvent(channel, { eventId: 'first' }))
    server.pause()
    const events = numbered('e', 1, 100).map((eventId) => makeEvent(channel, { eventId }))
    for (const outcome of await Promise.allSettled(events.map((event) => bus.publish(event)))) {
      expect(outcome).toMatchObject({ reason: { code: 'BUS_OUTCOME_UNKNOWN', retryable: true } })
    }
    // Their replies may still come: they are in memory, so nothing more is taken.
    expect(bus.stats().pendingPublishCount).toBe(100)
    await expect(bus.publish(makeEvent(channel))).rejects.toMatchObject({ code: 'BUS_UNAVAILABLE' })
    server.resume()
    await until(() => bus.stats().pendingPublishCount === 0, 'the replies came')
    const again = await Promise.all(events.map((event) => bus.publish(event)))
    expect(again.every(({ duplicate }) => duplicate)).toBe(true)
    expect((await bus.history(channel, { limit: 1_000 })).events).toHaveLength(101)
  })

  it('a bus can be closed', async () => {
    const bus = openBus({ url: `redis://127.0.0.1:${await freePort()}` })
    const channel = freshChannel()
    const under = Promise.allSettled([
      bus.publish(makeEvent(channel)),
      bus.subscribe(channel, { from: 'live' }, () => {}),
      bus.history(channel, { limit: 1 }),
    ])
    await bus.close()
    for (const outcome of await under) expect(outcome).toMatchObject({ reason: { code: 'BUS_CLOSED' } })
  })
})

describe('a server that refuses', () => {
  it('for want of memory is BUS_UNAVAILABLE at once, with what it said, and takes events again later', async () => {
    const server = await openServer({ args: ['--maxmemory', '3mb', '--maxmemory-policy', 'noeviction'] })
    const bus = await connectedBus({ url: server.url })
    const channel = freshChannel()
    const data = Buffer.alloc(200_000, 'x')
    const codes: string[] = []
    for (let round = 0; round < 30; round += 1) {
      await bus.publish(makeEvent(channel, { data })).catch((error: { code: string; message: string }) => {
        codes.push(error.code)
        expect(error.message).toContain('OOM')
      })
    }
    expect(codes.length).toBeGreaterThan(0)
    expect(new Set(codes)).toEqual(new Set(['BUS_UNAVAILABLE']))
    const { events } = await bus.history(channel, { limit: 100 })
    expect(events).toHaveLength(30 - codes.length) // nothing was done by halves
    await openClient(server.port).config('SET', 'maxmemory', 0)
    await bus.publish(makeEvent(channel, { data }))
  })

  it('the password is BUS_UNAVAILABLE to the observers, who do not get to see it', async () => {
    const server = await openServer({ args: ['--requirepass', 'right'] })
    const bus = openBus({ url: `redis://:hunter2@127.0.0.1:${server.port}` })
    const errors: Error[] = []
    bus.observe({ onError: (error) => errors.push(error as Error) })
    await until(() => errors.length >= 2, 'both connections failed')
    const { inspect } = await import('node:util')
    for (const error of errors) {
      expect(error).toMatchObject({ code: 'BUS_UNAVAILABLE' })
      expect(inspect(error, { depth: 10 })).not.toContain('hunter2')
      expect(error.message).toMatch(/WRONGPASS|invalid/)
    }
    expect(bus.status()).toBe('down')
  })
})
