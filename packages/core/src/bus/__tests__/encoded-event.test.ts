import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toBusEvent } from '../bus-event.ts'
import { carriedBytes, dataBytesOf } from '../carried-event.ts'
import { EncodedEvent } from '../encoded-event.ts'
import type { BusEvent, BusNotification } from '../event-bus.ts'
import { memoryBus } from '../memory-bus.ts'
import { decodeEvent } from '../published-event.ts'

const orders = { tenantId: 't1', name: 'orders' }

function encoded(data: unknown, overrides: object = {}): BusEvent {
  return toBusEvent({ tenantId: 't1', channel: 'orders', type: 'changed', data, ...overrides })
}

describe('EncodedEvent', () => {
  it('has the bytes of its JSON and knows how many they are', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const event = encoded(value)
        expect(Buffer.from(event.data).toString()).toBe(JSON.stringify(value))
        expect(dataBytesOf(event)).toBe(event.data.byteLength)
        expect(decodeEvent(event)).toStrictEqual(decodeEvent({ ...event }))
      }),
    )
  })

  it('gives every reader bytes of their own, which nothing else lies beside', () => {
    const event = encoded({ total: 1 })
    const bytes = event.data
    expect(bytes.buffer.byteLength).toBe(bytes.byteLength)
    bytes.fill(0)
    expect(Buffer.from(event.data).toString()).toBe('{"total":1}')
    expect(decodeEvent(event).data).toEqual({ total: 1 })
  })

  it('has the properties of any bus event, the bytes among them, also when it is copied', () => {
    const event = encoded(1, { userId: 'u1', eventId: 'e1', headers: { trace: 'a' } })
    expect({ ...event }).toStrictEqual({
      channel: orders,
      type: 'changed',
      data: new Uint8Array(Buffer.from('1')),
      userId: 'u1',
      eventId: 'e1',
      publishedAt: event.publishedAt,
      headers: { trace: 'a' },
    })
    expect(Object.keys(encoded(1)).sort()).toEqual(['channel', 'data', 'eventId', 'publishedAt', 'type'])
    expect(structuredClone(event)).toStrictEqual({ ...event })
  })

  it('is frozen, with copies of what it was made of', () => {
    const channel = { ...orders }
    const headers = { trace: 'a' }
    const parts = { channel, type: 'changed', json: '1', userId: undefined, eventId: 'e1', publishedAt: 0, headers }
    const event = new EncodedEvent(parts)
    channel.tenantId = 't2'
    headers.trace = 'b'
    expect(event).toMatchObject({ channel: orders, headers: { trace: 'a' } })
    for (const part of [event, event.channel, event.headers]) expect(Object.isFrozen(part)).toBe(true)
  })

  it('is known by what it is, not by how it looks: a copy is decoded from its own bytes', () => {
    const event = encoded('first')
    const copy = { ...event, data: Buffer.from('"second"') }
    const heir = Object.create(event) as BusEvent
    expect([event, copy, { ...event }, heir].map((one) => EncodedEvent.is(one))).toEqual([true, false, false, false])
    expect(decodeEvent(copy).data).toBe('second')
  })

  it('counts as what its string may take in memory', () => {
    const ascii = carriedBytes(encoded('a'.repeat(1_000), { eventId: 'e1' }))
    expect(carriedBytes(encoded('é'.repeat(1_000), { eventId: 'e1' })) - ascii).toBe(1_002)
    expect(carriedBytes(encoded('中'.repeat(1_000), { eventId: 'e1' })) - ascii).toBe(2_000)
  })
})

describe('memoryBus with an event that was encoded here', () => {
  it('lets no listener change what another one or the history gets', async () => {
    const bus = memoryBus()
    const heard: string[] = []
    const listener = (notification: BusNotification) => {
      if (notification.kind !== 'event') throw new Error('it was no event')
      const { event } = notification
      heard.push(Buffer.from(event.data).toString(), JSON.stringify(decodeEvent(event).data))
      event.data.fill(0)
      expect(() => Object.assign(event, { data: Buffer.from('2') })).toThrow(TypeError)
      expect(() => Object.assign(event, { userId: 'u2' })).toThrow(TypeError)
      expect(() => Object.assign(event.channel, { tenantId: 't2' })).toThrow(TypeError)
    }
    await bus.subscribe(orders, { from: 'live' }, listener)
    await bus.subscribe(orders, { from: 'live' }, listener)
    await bus.publish(encoded([1]))
    const page = await bus.history(orders, { limit: 1 })
    heard.push(Buffer.from(page.events[0]?.event.data ?? []).toString())
    expect(heard).toEqual(['[1]', '[1]', '[1]', '[1]', '[1]'])
  })

  it('tells what was published, whatever the publisher makes of its objects afterwards', async () => {
    const bus = memoryBus()
    const heard: BusNotification[] = []
    await bus.subscribe(orders, { from: 'live' }, (notification) => void heard.push(notification))
    const data = { list: [1] }
    const headers = { trace: 'a' }
    await bus.publish(encoded(data, { headers }))
    data.list.push(2)
    headers.trace = 'b'
    const [notification] = heard
    if (notification?.kind !== 'event') throw new Error('it was no event')
    expect(decodeEvent(notification.event)).toMatchObject({ data: { list: [1] }, headers: { trace: 'a' } })
  })

  it('takes it once, however often it is published, and refuses it by the bytes that it would have', async () => {
    const bus = memoryBus({ maxPayloadBytes: 5 })
    const event = encoded('é!')
    const { position } = await bus.publish(event)
    expect(await bus.publish(event)).toEqual({ position, duplicate: true })
    expect(await bus.publish({ ...event })).toEqual({ position, duplicate: true })
    await expect(bus.publish(encoded('éé'))).rejects.toMatchObject({ code: 'EVENT_TOO_LARGE' })
  })
})
