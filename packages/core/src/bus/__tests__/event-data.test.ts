import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SluiceError } from '../../errors.ts'
import { decodeEventData, deepFreeze, encodeEventData } from '../event-data.ts'

function refusal(data: unknown): SluiceError {
  try {
    encodeEventData(data)
  } catch (error) {
    expect(error).toBeInstanceOf(SluiceError)
    return error as SluiceError
  }
  throw new Error('it was encoded')
}

/** A JSON text of arrays in arrays. */
function nested(levels: number): string {
  return '['.repeat(levels) + ']'.repeat(levels)
}

describe('encodeEventData', () => {
  it('gives back every JSON value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value)
        expect(JSON.stringify(decodeEventData(encodeEventData(value)))).toBe(text)
      }),
    )
  })

  it('writes UTF-8', () => {
    expect(Buffer.from(encodeEventData({ name: 'Zoë 🚢' })).toString('utf8')).toBe('{"name":"Zoë 🚢"}')
  })

  it('does within the value what JSON.stringify does', () => {
    const data = {
      kept: 1,
      gone: undefined,
      also: () => 1,
      list: [undefined, Symbol('s')],
      nan: Number.NaN,
      at: new Date(0),
    }
    expect(decodeEventData(encodeEventData(data))).toEqual({
      kept: 1,
      list: [null, null],
      nan: null,
      at: '1970-01-01T00:00:00.000Z',
    })
  })

  it.each([
    ['undefined', undefined, 'not undefined'],
    ['a function', () => 1, 'not a function'],
    ['a symbol', Symbol('s'), 'not a symbol'],
    ['an object that becomes nothing', { toJSON: () => undefined }, 'toJSON returns nothing'],
  ])('refuses %s as the whole value and says so', (_, data, words) => {
    const error = refusal(data)
    expect(error.code).toBe('BAD_EVENT')
    expect(error.message).toContain(words)
  })

  it('refuses a value that contains itself', () => {
    const data: { self?: unknown } = {}
    data.self = [data]
    const error = refusal(data)
    expect(error.code).toBe('BAD_EVENT')
    expect(error.message).toContain('contains itself')
    expect(error.cause).toBeInstanceOf(TypeError)
  })

  it('refuses a BigInt anywhere', () => {
    for (const data of [1n, { deep: [{ down: 1n }] }]) {
      const error = refusal(data)
      expect(error.code).toBe('BAD_EVENT')
      expect(error.message).toContain('BigInt')
    }
  })

  it('keeps what a toJSON threw as the cause', () => {
    const cause = new Error('not today')
    const error = refusal({
      toJSON() {
        throw cause
      },
    })
    expect(error.code).toBe('BAD_EVENT')
    expect(error.cause).toBe(cause)
  })

  it('refuses nesting that JSON.stringify has no stack for', () => {
    const error = refusal(JSON.parse(nested(200_000)))
    expect(error.code).toBe('BAD_EVENT')
    expect(error.message).toContain('nested too deeply')
  })
})

describe('decodeEventData', () => {
  it('freezes everything', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const pending: unknown[] = [decodeEventData(encodeEventData(value))]
        while (pending.length > 0) {
          const current = pending.pop()
          expect(Object.isFrozen(current)).toBe(true)
          if (typeof current === 'object' && current !== null) pending.push(...Object.values(current))
        }
      }),
    )
  })

  it('takes 5,000 levels, and 100,000', () => {
    for (const levels of [5_000, 100_000]) {
      let current = decodeEventData(Buffer.from(nested(levels)))
      for (let level = 1; level < levels; level += 1) {
        if (!Object.isFrozen(current)) throw new Error(`level ${level} is not frozen`)
        current = (current as unknown[])[0]
      }
      expect(current).toEqual([])
    }
  })

  it('takes "__proto__" and "constructor" as keys like any other', () => {
    const data = decodeEventData(Buffer.from('{"__proto__":{"admin":true},"constructor":{"prototype":[1]}}')) as object
    expect(Object.getPrototypeOf(data)).toBe(Object.prototype)
    expect(Object.keys(data)).toEqual(['__proto__', 'constructor'])
    expect(Object.isFrozen(Object.getOwnPropertyDescriptor(data, '__proto__')?.value)).toBe(true)
    expect('admin' in data).toBe(false)
    expect(Object.isFrozen(Object.prototype)).toBe(false)
  })

  it('reads a part of a larger buffer', () => {
    const whole = Buffer.from('xx{"a":1}yy')
    expect(decodeEventData(new Uint8Array(whole.buffer, whole.byteOffset + 2, 7))).toEqual({ a: 1 })
  })

  it('says that bytes are not JSON', () => {
    expect(() => decodeEventData(Buffer.from('{'))).toThrow(expect.objectContaining({ code: 'BAD_EVENT' }))
    expect(() => decodeEventData(new Uint8Array())).toThrow(expect.objectContaining({ code: 'BAD_EVENT' }))
  })
})

describe('deepFreeze', () => {
  it('returns its argument, also a primitive', () => {
    const value = { list: [{ a: 1 }] }
    expect(deepFreeze(value)).toBe(value)
    expect(deepFreeze('text')).toBe('text')
    expect(deepFreeze(null)).toBe(null)
  })
})
