import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import type { BusNotification } from '../event-bus.ts'
import { memoryBus } from '../memory-bus.ts'
import { eventOn } from './memory-bus-harness.ts'

const orders = { tenantId: 't1', name: 'orders' }

describe('memoryBus events', () => {
  it('are not what the publisher makes of its own objects afterwards', async () => {
    const bus = memoryBus()
    const heard: BusNotification[] = []
    await bus.subscribe(orders, { from: 'live' }, (notification) => void heard.push(notification))
    const channel = { ...orders }
    const headers = { trace: 'a' }
    const data = Buffer.from('[1]')
    const event = eventOn('orders', { channel, headers, data, eventId: 'mine', userId: 'u1' })
    await bus.publish(event)
    data.fill('x')
    headers.trace = 'b'
    channel.tenantId = 't2'
    const [notification] = heard
    expect(notification).toMatchObject({
      event: { channel: orders, headers: { trace: 'a' }, eventId: 'mine', userId: 'u1' },
    })
    if (notification?.kind !== 'event') throw new Error('it was no event')
    expect(Buffer.from(notification.event.data).toString()).toBe('[1]')
    const { events } = await bus.history(orders, { limit: 1 })
    expect(events[0]?.event).toBe(notification.event)
  })

  it('are frozen, envelope, channel, headers and notification', async () => {
    const bus = memoryBus()
    const heard: BusNotification[] = []
    await bus.subscribe(orders, { from: 'live' }, (notification) => void heard.push(notification))
    await bus.publish(eventOn('orders', { headers: { trace: 'a' } }))
    const [notification] = heard
    if (notification?.kind !== 'event') throw new Error('it was no event')
    for (const part of [notification, notification.event, notification.event.channel, notification.event.headers]) {
      expect(Object.isFrozen(part)).toBe(true)
    }
  })

  it('have positions that tell nothing of other channels', async () => {
    const bus = memoryBus()
    const { position } = await bus.publish(eventOn('orders'))
    for (let index = 0; index < 20; index += 1) await bus.publish(eventOn('parcels'))
    expect(await bus.position(orders)).toBe(position)
  })

  it('cannot be reached by a position of another channel: that is a gap', async () => {
    const bus = memoryBus()
    const { position } = await bus.publish(eventOn('parcels'))
    await bus.publish(eventOn('orders', { eventId: 'o1' }))
    expect(await bus.history(orders, { after: position, limit: 9 })).toMatchObject({ gap: 'trimmed', events: [{}] })
  })
})

describe('memoryBus observers', () => {
  it('that throw break neither the bus nor each other', async () => {
    const bus = memoryBus()
    const errors: unknown[] = []
    const broken = new Error('observer')
    bus.observe({
      onError: () => {
        throw broken
      },
      onStatus: () => {
        throw broken
      },
    })
    bus.observe({ onError: (error) => errors.push(error) })
    const thrown = new Error('listener')
    await bus.subscribe(orders, { from: 'live' }, () => {
      throw thrown
    })
    await bus.publish(eventOn('orders'))
    expect(errors).toEqual([thrown])
    await bus.close()
    expect(errors).toEqual([thrown, thrown, broken])
  })
})
