import { Buffer } from 'node:buffer'
import type { BusEvent } from '@sluice/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { BusContractFactory } from '../bus-contract-factory.ts'
import { recordingListener } from '../recording-listener.ts'
import { freshChannel, makeEvent, openBackend } from './fixture.ts'

/** What is published arrives as it was, or is refused before anything is sent. */
export function payloadsContract(factory: BusContractFactory): void {
  const { maxPayloadBytes, history } = factory.capabilities
  const sizes = [0, 1, 7_999, 8_000, 8_001, 65_536, 1_000_000, 1_048_576, maxPayloadBytes]
  const samples: readonly (readonly [string, Uint8Array])[] = [
    ...[...new Set(sizes)]
      .filter((size) => size <= maxPayloadBytes)
      .map((size) => [`${size} bytes`, patterned(size)] as const),
    ['NUL', Buffer.from('a\0b\0')],
    ['newlines', Buffer.from('a\nb\r\n\n')],
    ['quotes and backslashes', Buffer.from('\'"\\`\\000\\x00')],
    ['bytes that are no UTF-8', Buffer.from([0xff, 0xfe, 0xc3, 0x28, 0xed, 0xa0, 0x80, 0x00, 0x80])],
    ['every byte', Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))],
    ['a view into a larger buffer', patterned(100).subarray(10, 20)],
  ]

  describe('payloads', () => {
    it.each(samples)('arrive exact, live and from the history: %s', async (_, data) => {
      const { bus } = await openBackend(factory)
      const channel = freshChannel()
      const recording = recordingListener()
      await bus.subscribe(channel, { from: 'live' }, recording.listener)
      await bus.publish(makeEvent(channel, { data }))
      const [heard] = await recording.received(1)
      expectBytes(heard?.event, data)
      if (!history) return
      const page = await bus.history(channel, { limit: 1 })
      expectBytes(page.events[0]?.event, data)
    })

    it('arrive exact, whatever their bytes', async () => {
      const { bus } = await openBackend(factory)
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 5 }),
          async (payloads) => {
            const channel = freshChannel()
            const recording = recordingListener()
            const subscription = await bus.subscribe(channel, { from: 'live' }, recording.listener)
            for (const data of payloads) await bus.publish(makeEvent(channel, { data }))
            const heard = await recording.received(payloads.length)
            for (const [index, data] of payloads.entries()) expectBytes(heard[index]?.event, data)
            await subscription.close()
          },
        ),
        { numRuns: 50 },
      )
    })

    it('are refused above maxPayloadBytes before anything is sent', async () => {
      const { bus } = await openBackend(factory)
      const channel = freshChannel()
      const recording = recordingListener()
      await bus.subscribe(channel, { from: 'live' }, recording.listener)
      const event = makeEvent(channel, { data: new Uint8Array(maxPayloadBytes + 1), eventId: 'too large' })
      await expect(bus.publish(event)).rejects.toMatchObject({
        name: 'SluiceError',
        code: 'EVENT_TOO_LARGE',
        retryable: false,
      })
      // The same id again: what was refused must not be remembered either.
      await bus.publish(makeEvent(channel, { eventId: 'too large', type: 'small' }))
      await recording.received(1)
      expect(recording.events.map(({ event: { type } }) => type)).toEqual(['small'])
    })

    it('may be changed by the publisher once publish has returned', async () => {
      const { bus } = await openBackend(factory)
      const channel = freshChannel()
      const recording = recordingListener()
      await bus.subscribe(channel, { from: 'live' }, recording.listener)
      const data = Buffer.from('before')
      const accepted = bus.publish(makeEvent(channel, { data }))
      data.fill('x')
      await accepted
      const [heard] = await recording.received(1)
      expectBytes(heard?.event, Buffer.from('before'))
    })
  })

  describe('envelopes', () => {
    it.each<[string, Partial<BusEvent>]>([
      ['as small as possible', {}],
      ['with a user', { userId: 'u:1*{}\n\0"\'' }],
      ['with headers', { headers: { traceparent: '00-abc-def-01', __proto: '🚢', 'a b': 'c\nd\0e', empty: '' } }],
      [
        'with everything odd',
        { type: 'ty:pe\n\0*🚢', eventId: 'e:1\n\0*🚢', userId: '🚢', headers: {}, publishedAt: 1.5e12 + 1 },
      ],
    ])('arrive as they were: %s', async (_, overrides) => {
      const { bus } = await openBackend(factory)
      const channel = freshChannel()
      const recording = recordingListener()
      await bus.subscribe(channel, { from: 'live' }, recording.listener)
      const event = makeEvent(channel, overrides)
      await bus.publish(event)
      const [heard] = await recording.received(1)
      expect({ ...heard?.event, data: undefined }).toStrictEqual({ ...event, data: undefined })
    })
  })
}

function patterned(bytes: number): Uint8Array {
  const data = new Uint8Array(bytes)
  for (let index = 0; index < bytes; index += 1) data[index] = (index * 31) % 256
  return data
}

/** Compared as buffers: a matcher that looks at each of a million elements takes a second. */
function expectBytes(event: BusEvent | undefined, data: Uint8Array): void {
  expect(event?.data.byteLength).toBe(data.byteLength)
  expect(Buffer.compare(event?.data ?? Buffer.from('no event'), data)).toBe(0)
}
