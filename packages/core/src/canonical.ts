/**
 * One string for values that are equal, and two strings for values that are not: the canonical JSON of plain
 * data, with the types that JSON would blur kept apart. `undefined` if a value has no such form: functions,
 * symbols, instances of classes, cycles. What has no canonical form is never taken to be equal to anything.
 *
 * Members whose value is `undefined` are left out, as in JSON; `null` is a value of its own.
 */
export function canonicalForm(value: unknown): string | undefined {
  try {
    return write(value, 0)
  } catch (error) {
    if (error === noForm) return undefined
    throw error
  }
}

const noForm = new Error('The value has no canonical form.')
/** Deeper data is not compared; it also ends the walk through a cycle. */
const maxDepth = 64

function write(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'number':
      // NaN and the infinities have no JSON, but they are values all the same.
      if (Object.is(value, -0)) return '-0'
      return Number.isFinite(value) ? String(value) : `number:${value}`
    case 'bigint':
      return `bigint:${value}`
    case 'object':
      return value === null ? 'null' : writeObject(value, depth)
    default:
      throw noForm
  }
}

function writeObject(value: object, depth: number): string {
  if (depth === maxDepth) throw noForm
  // What does not show in the form must not be there: symbols, hidden members, members and holes of arrays.
  if (Reflect.ownKeys(value).length !== Object.keys(value).length + (Array.isArray(value) ? 1 : 0)) throw noForm
  if (Array.isArray(value)) {
    if (Object.keys(value).length !== value.length) throw noForm
    return `[${value.map((item: unknown) => (item === undefined ? 'undefined' : write(item, depth + 1))).join(',')}]`
  }
  if (value instanceof Date && Object.getPrototypeOf(value) === Date.prototype) return `date:${value.getTime()}`
  if (!isPlainObject(value)) throw noForm
  const members: string[] = []
  for (const key of Object.keys(value).sort()) {
    const member = value[key]
    if (member !== undefined) members.push(`${JSON.stringify(key)}:${write(member, depth + 1)}`)
  }
  return `{${members.join(',')}}`
}

/** Whether it is an object literal, an object without a prototype, or one out of JSON. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype = Object.getPrototypeOf(value) as object | null
  if (prototype === null || prototype === Object.prototype) return true
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf') // another realm's
}

/**
 * A copy of plain objects and arrays, through and through, frozen if asked for. Those that point at each other
 * point at each other's copies. Instances of classes stay what they are: they may be anybody's; dates are copied.
 */
export function copyPlain(value: unknown, freeze: boolean, copies: Map<object, object> = new Map()): unknown {
  if (typeof value !== 'object' || value === null) return value
  const known = copies.get(value)
  if (known !== undefined) return known
  if (value instanceof Date) return new Date(value)
  const isArray = Array.isArray(value)
  if (!isArray && !isPlainObject(value)) return value
  const copy: object = isArray ? [] : {}
  copies.set(value, copy)
  for (const key of Object.keys(value)) {
    // Not by assignment: a member called __proto__ has to stay a member.
    const member = copyPlain(Reflect.get(value, key), freeze, copies)
    Object.defineProperty(copy, key, { value: member, enumerable: true, writable: true, configurable: true })
  }
  return freeze ? Object.freeze(copy) : copy
}
