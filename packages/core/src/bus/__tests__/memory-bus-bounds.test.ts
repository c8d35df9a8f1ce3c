import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import type { Position } from '../event-bus.ts'
import { memoryBus } from '../memory-bus.ts'
import { eventOn, log } from './memory-bus-harness.ts'

const orders = { tenantId: 't1', name: 'orders' }

describe('memoryBus options', () => {
  it.each<[string, unknown]>([
    ['history.maxCount', { history: { maxCount: 0 } }],
    ['history.maxBytes', { history: { maxBytes: -1 } }],
    ['history.maxAgeMs', { history: { maxAgeMs: '5m' } }],
    ['history.maxAge', { history: { maxAge: 5 } }],
    ['maxTotalBytes', { maxTotalBytes: 10 }],
    ['maxIdleChannelCount', { maxIdleChannelCount: 1.5 }],
    ['maxPayloadBytes', { maxPayloadBytes: Number.NaN }],
    ['dedupWindowMs', { dedupWindowMs: -1 }],
    ['maxEventIdCount', { maxEventIdCount: null }],
    ['maxNestedCount', { maxNestedCount: Number.POSITIVE_INFINITY }],
    ['now', { now: 5 }],
    ['the options', null],
  ])('refuse a wrong %s and name it', (name, options) => {
    expect(() => memoryBus(options as never)).toThrow(
      expect.objectContaining({ code: 'BAD_CONFIG', message: expect.stringContaining(name) }),
    )
  })

  it('take an endless age', async () => {
    const bus = memoryBus({ history: { maxAgeMs: Number.POSITIVE_INFINITY } })
    await bus.publish(eventOn('orders'))
    expect((await bus.history(orders, { limit: 9 })).events).toHaveLength(1)
  })
})

describe('memoryBus memory', () => {
  it('forgets what is too old when somebody looks, and says so', async () => {
    let now = 0
    const bus = memoryBus({ history: { maxAgeMs: 100 }, now: () => now })
    const start = await bus.position(orders)
    await bus.publish(eventOn('orders', { eventId: 'old' }))
    now = 101
    const { heard, listener } = log()
    await bus.subscribe(orders, { from: start }, listener)
    expect(heard).toEqual(['gap:trimmed'])
    expect(bus.stats().historyBytes).toBe(0)
  })

  it('lets go of what expired on quiet channels when another is used, without a timer', async () => {
    let now = 0
    const bus = memoryBus({ history: { maxAgeMs: 100 }, now: () => now })
    for (let index = 0; index < 50; index += 1)
      await bus.publish(eventOn(`quiet:${index}`, { data: Buffer.alloc(1_000) }))
    now = 200
    await bus.publish(eventOn('orders'))
    expect(bus.stats().historyBytes).toBeLessThan(1_000)
  })

  it('holds no more bytes than allowed over all channels, those with listeners included', async () => {
    const bus = memoryBus({ history: { maxBytes: 20_000 }, maxTotalBytes: 50_000 })
    const { listener } = log()
    const start = await bus.position({ tenantId: 't1', name: 'channel:0' })
    for (let index = 0; index < 100; index += 1) {
      const name = `channel:${index}`
      await bus.subscribe({ tenantId: 't1', name }, { from: 'live' }, listener)
      for (let event = 0; event < 5; event += 1) await bus.publish(eventOn(name, { data: Buffer.alloc(1_000) }))
      expect(bus.stats().historyBytes).toBeLessThanOrEqual(50_000)
    }
    const newest = await bus.history({ tenantId: 't1', name: 'channel:99' }, { limit: 9 })
    expect(newest.events).toHaveLength(5)
    const oldest = await bus.history({ tenantId: 't1', name: 'channel:0' }, { after: start, limit: 9 })
    expect(oldest).toMatchObject({ events: [], gap: 'trimmed' })
  })

  it('counts headers and names, not only data', async () => {
    const bus = memoryBus({ history: { maxBytes: 10_000 } })
    await bus.publish(eventOn('orders', { headers: { trace: 'x'.repeat(6_000) } }))
    expect(bus.stats().historyBytes).toBe(0)
  })

  it('remembers a bounded number of channels without listeners, whatever made them', async () => {
    const bus = memoryBus({ maxIdleChannelCount: 10 })
    const { listener } = log()
    for (let index = 0; index < 500; index += 1) {
      const channel = { tenantId: 't1', name: `channel:${index}` }
      await bus.publish(eventOn(channel.name))
      await bus.position({ ...channel, tenantId: 't2' })
      await bus.history({ ...channel, tenantId: 't3' }, { limit: 1 })
      await (await bus.subscribe({ ...channel, tenantId: 't4' }, { from: 'live' }, listener)).close()
    }
    expect(bus.stats()).toMatchObject({ channelCount: 10, listenerCount: 0 })
  })

  it('never forgets a channel that has a listener', async () => {
    const bus = memoryBus({ maxIdleChannelCount: 1 })
    const { heard, listener } = log()
    await bus.subscribe(orders, { from: 'live' }, listener)
    for (let index = 0; index < 50; index += 1) await bus.publish(eventOn(`channel:${index}`))
    await bus.publish(eventOn('orders', { eventId: 'still here' }))
    expect(heard).toEqual(['still here'])
  })

  it('tells a subscriber who resumes on a forgotten channel that the history was trimmed', async () => {
    const bus = memoryBus({ maxIdleChannelCount: 1 })
    const { position } = await bus.publish(eventOn('orders', { eventId: 'first' }))
    await bus.publish(eventOn('orders', { eventId: 'lost' }))
    await bus.publish(eventOn('parcels'))
    await bus.publish(eventOn('orders', { eventId: 'kept' }))
    const { heard, listener } = log()
    await bus.subscribe(orders, { from: position }, listener)
    await bus.publish(eventOn('orders', { eventId: 'live' }))
    expect(heard).toEqual(['gap:trimmed', 'kept', 'live'])
  })

  it('forgets the channel that was longest out of use, so a position on the others stays whole', async () => {
    const bus = memoryBus({ maxIdleChannelCount: 2 })
    const start = await bus.position(orders)
    await bus.publish(eventOn('parcels'))
    await bus.publish(eventOn('orders', { eventId: 'kept' }))
    await bus.publish(eventOn('others'))
    const { heard, listener } = log()
    await bus.subscribe(orders, { from: start }, listener)
    expect(heard).toEqual(['kept'])
  })

  it('works with no room for idle channels at all', async () => {
    const bus = memoryBus({ maxIdleChannelCount: 0, history: { maxBytes: 0 }, maxTotalBytes: 0 })
    const start = await bus.position(orders)
    await bus.publish(eventOn('orders'))
    const { heard, listener } = log()
    await bus.subscribe(orders, { from: start }, listener)
    await bus.publish(eventOn('orders', { eventId: 'live' }))
    expect(heard).toEqual(['gap:trimmed', 'live'])
    expect(bus.stats()).toMatchObject({ channelCount: 1, historyBytes: 0 })
  })

  it('remembers a bounded number of event ids, for the window', async () => {
    let now = 0
    const bus = memoryBus({ dedupWindowMs: 100, maxEventIdCount: 10, now: () => now })
    const first = await bus.publish(eventOn('orders', { eventId: 'same' }))
    expect(await bus.publish(eventOn('orders', { eventId: 'same' }))).toEqual({
      position: first.position,
      duplicate: true,
    })
    now = 100
    expect(await bus.publish(eventOn('orders', { eventId: 'same' }))).toMatchObject({ duplicate: false })
    for (let index = 0; index < 100; index += 1) await bus.publish(eventOn('orders'))
    expect(bus.stats().eventIdCount).toBeLessThanOrEqual(10)
  })

  it('takes a position of the same channel that lies in the future for none of its own', async () => {
    const bus = memoryBus()
    const { position } = await bus.publish(eventOn('orders', { eventId: 'e' }))
    const forged = position.replace(/\d+$/, '999') as Position
    expect(await bus.history(orders, { after: forged, limit: 9 })).toMatchObject({ gap: 'epoch', events: [{}] })
  })

  it('holds nothing after it was closed', async () => {
    const bus = memoryBus()
    await bus.subscribe(orders, { from: 'live' }, log().listener)
    await bus.publish(eventOn('orders'))
    await bus.close()
    expect(bus.stats()).toEqual({ channelCount: 0, listenerCount: 0, historyBytes: 0, eventIdCount: 0 })
  })
})
