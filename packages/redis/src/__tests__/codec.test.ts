import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatPosition, nowhere, parsePosition } from '../cursor.ts'
import { parseFrame } from '../entry.ts'
import { decodeEvent, encodeEnvelope } from '../envelope.ts'
import { makeEvent } from './service.ts'

const channel = { tenantId: 't', name: 'c' }
const hex = fc.stringMatching(/^[0-9a-f]{1,64}$/)
const number = fc.integer({ min: 0, max: 999_999_999_999_999 })

describe('a position', () => {
  it('is the cursor that it was made of', () => {
    fc.assert(
      fc.property(
        fc.record({ epoch: hex, ms: number, offset: fc.integer({ min: 1 }), isBefore: fc.boolean() }),
        (cursor) => {
          expect(parsePosition(formatPosition(cursor))).toEqual(cursor)
        },
      ),
    )
  })

  it('is nowhere for any other text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const cursor = parsePosition(text)
        if (cursor !== nowhere) expect(formatPosition(cursor)).toBe(text)
      }),
    )
    for (const text of ['', 'g.1-2', 'a.1-2\n', 'a.~1-0', 'a.-1-2', 'a.1-2-3', '1-2', `${'a'.repeat(65)}.1-2`]) {
      expect(parsePosition(text)).toBe(nowhere)
    }
  })
})

describe('a frame', () => {
  it('is what the publish script sends', () => {
    const payload = Buffer.concat([Buffer.from('abc 17-2 15 4\n{"a"'), Buffer.from([0, 255, 10])])
    expect(parseFrame(payload)).toEqual({
      epoch: 'abc',
      ms: 17,
      offset: 2,
      previousMs: 15,
      envelope: Buffer.from('{"a"'),
      data: Buffer.from([0, 255, 10]),
    })
  })

  it('is nothing else that somebody may publish', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(parseFrame(Buffer.from(bytes))).toBeUndefined()
      }),
    )
    for (const text of [
      '',
      '\n',
      'abc 17-2 15 9\n{}',
      'abc 17-2 15\n',
      'ABC 1-1 0 0\n',
      ' abc 1-1 0 0\n',
      '- 1-1 0 0\n',
    ]) {
      expect(parseFrame(Buffer.from(text))).toBeUndefined()
    }
  })
})

describe('an envelope', () => {
  it.each<[string, string]>([
    ['no JSON', '{'],
    ['no object', '1'],
    ['null', 'null'],
    ['no type', '{"i":"1","p":1}'],
    ['a type that is no string', '{"t":1,"i":"1","p":1}'],
    ['a user that is no string', '{"t":"t","i":"1","p":1,"u":7}'],
    ['headers that are no strings', '{"t":"t","i":"1","p":1,"h":{"a":1}}'],
    ['headers that are null', '{"t":"t","i":"1","p":1,"h":null}'],
  ])('with %s is no event', (_, envelope) => {
    expect(() => decodeEvent(channel, Buffer.from(envelope), Buffer.from('1'))).toThrow(/JSON|envelope/)
  })

  it('gives an event that nobody can change, and whose bytes are its own', () => {
    const event = makeEvent(channel, { headers: { a: 'b' }, userId: 'u' })
    const bytes = Buffer.from('{"a":1}')
    const decoded = decodeEvent(channel, Buffer.from(encodeEnvelope(event)), bytes)
    expect(decoded).toEqual({ ...event, data: new Uint8Array(bytes) })
    bytes.fill(0)
    expect(Buffer.from(decoded.data).toString()).toBe('{"a":1}')
    expect(decoded.data.buffer.byteLength).toBe(7)
    expect([decoded, decoded.headers].every(Object.isFrozen)).toBe(true)
  })
})
