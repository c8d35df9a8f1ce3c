import { Buffer } from 'node:buffer'
import { SluiceError } from '../errors.ts'

/**
 * The JSON of an event's data: what a bus carries and what every subscriber will see.
 *
 * Within the value everything is as in `JSON.stringify`: `undefined` and functions are left out of objects
 * and are `null` in arrays, `NaN` and the infinities are `null`, a `Date` is its ISO string.
 *
 * @throws SluiceError BAD_EVENT for what JSON cannot hold: `undefined`, a function or a symbol as the whole
 * value, a value that contains itself, a BigInt, a `toJSON` or getter that throws, nesting without end.
 */
export function encodeEventData(data: unknown): string {
  let json: string | undefined
  try {
    json = JSON.stringify(data)
  } catch (cause) {
    throw new SluiceError('BAD_EVENT', `The event's data cannot be written as JSON: ${explain(cause)}`, { cause })
  }
  if (json === undefined) {
    throw new SluiceError(
      'BAD_EVENT',
      `The event's data must be a JSON value, not ${describe(data)}; publish null if it has none`,
    )
  }
  return json
}

/**
 * An event's data from its JSON, deeply frozen: it is decoded once per process and shared by all groups.
 *
 * @param encoded what `encodeEventData` gave, or its UTF-8
 * @throws SluiceError BAD_EVENT if it is not JSON, which only something else than `encodeEventData` writes.
 */
export function decodeEventData(encoded: string | Uint8Array): unknown {
  let data: unknown
  try {
    data = JSON.parse(typeof encoded === 'string' ? encoded : textOf(encoded))
  } catch (cause) {
    throw new SluiceError('BAD_EVENT', "The event's data is not JSON; publish through Sluice, or write JSON in UTF-8", {
      cause,
    })
  }
  return deepFreeze(data)
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
}

/**
 * Freezes a JSON value with everything in it and returns it. Nesting costs no stack. What is frozen already
 * is taken to be frozen deeply, which is true of everything that this function returned.
 */
export function deepFreeze<T>(value: T): T {
  if (!isFreezable(value)) return value
  const found: object[] = [value]
  for (let current = found.pop(); current !== undefined; current = found.pop()) {
    // Own properties alone, so that a key "__proto__" is a value like any other. It is frozen after they were read,
    // which V8 does faster in this order.
    for (const child of Object.values(current)) {
      if (isFreezable(child)) found.push(child)
    }
    Object.freeze(current)
  }
  return value
}

function isFreezable(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Object.isFrozen(value)
}

function describe(data: unknown): string {
  if (data === undefined) return 'undefined'
  return typeof data === 'object' ? 'an object whose toJSON returns nothing' : `a ${typeof data}`
}

/** V8 tells its refusals apart by their messages alone; whatever else was thrown came from the value's own code. */
function explain(cause: unknown): string {
  if (cause instanceof RangeError) return 'it is nested too deeply or too large; publish less of it'
  if (cause instanceof TypeError && cause.message.includes('BigInt')) {
    return 'it holds a BigInt, which JSON has not; publish it as a string'
  }
  if (cause instanceof TypeError && cause.message.includes('circular')) {
    return 'it contains itself; publish a plain object of the fields that subscribers need'
  }
  return 'a toJSON or a getter in it threw (see the cause); publish plain values'
}
