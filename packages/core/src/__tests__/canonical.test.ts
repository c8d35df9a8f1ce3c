import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalForm, copyPlain } from '../canonical.ts'

const key = fc.constantFrom('a', 'b', '__proto__', 'constructor', '', '"', 'a:1', ',')
const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<unknown>(
      null,
      true,
      false,
      0,
      -0,
      1,
      -1,
      1.5,
      1e21,
      '',
      'a',
      '1',
      'null',
      '{}',
      '[]',
      'a","b',
      '\uD800',
      'date:0',
    ),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.array(fc.tuple(key, tie('value')), { maxLength: 3 }).map((entries) => Object.fromEntries(entries) as unknown),
  ),
})).value

test('two JSON values have the same form exactly if they are deeply equal', () => {
  fc.assert(
    fc.property(json, json, (a, b) => {
      expect(canonicalForm(a) === canonicalForm(b)).toBe(isDeepStrictEqual(a, b))
      expect(canonicalForm(a)).toBe(canonicalForm(shuffled(a)))
    }),
    { numRuns: 2000 },
  )
})

/** The same value, its members inserted the other way round. */
function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, member]) => [name, shuffled(member)] as const)
      .reverse(),
  )
}

test('values that JSON blurs have forms of their own', () => {
  const different: unknown[] = [
    null,
    'null',
    0,
    -0,
    '0',
    0n,
    'bigint:0',
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    'number:NaN',
    new Date(0),
    new Date(1),
    new Date(Number.NaN),
    new Date(0).toISOString(),
    [],
    [undefined],
    [null],
    ['undefined'],
    {},
    { a: null },
    { 0: 1 },
    [1],
  ]
  const forms = different.map(canonicalForm)
  expect(forms).not.toContain(undefined)
  expect(new Set(forms).size).toBe(different.length)
})

test('members that are undefined, and the prototype of a plain object, make no difference', () => {
  expect(canonicalForm({ a: 1, b: undefined })).toBe(canonicalForm({ a: 1 }))
  expect(canonicalForm(Object.assign(Object.create(null), { a: 1 }))).toBe(canonicalForm({ a: 1 }))
})

test('what would not show in the form has none: holes, symbols, hidden members, members of arrays', () => {
  const values = [
    Array(1),
    Object.assign([1], { extra: 1 }),
    { [Symbol('a')]: 1 },
    Object.defineProperty({ a: 1 }, 'b', { value: 1, enumerable: false }),
  ]
  for (const value of values) {
    expect(canonicalForm(value)).toBeUndefined()
    expect(canonicalForm({ a: [value] })).toBeUndefined()
  }
})

test('functions, symbols, instances of classes and cycles have none', () => {
  class Money {
    readonly amount = 1
  }
  const cycle: Record<string, unknown> = {}
  cycle['self'] = [cycle, cycle]
  class SpecialDate extends Date {}
  const values = [
    undefined,
    () => 1,
    Symbol('a'),
    new Money(),
    new Map(),
    new Set(),
    /x/,
    Promise.resolve(),
    new SpecialDate(),
    cycle,
  ]
  for (const value of values) {
    expect(canonicalForm(value)).toBeUndefined()
    expect(canonicalForm({ a: [value, 1] })).toBe(
      value === undefined ? canonicalForm({ a: [undefined, 1] }) : undefined,
    )
  }
})

test('a copy is equal, shares nothing that is plain, and can be frozen', () => {
  fc.assert(
    fc.property(json, fc.boolean(), (value, freeze) => {
      const copy = copyPlain(value, freeze)
      expect(isDeepStrictEqual(copy, value)).toBe(true)
      expectOwn(copy, value, freeze)
    }),
  )
})

function expectOwn(copy: unknown, original: unknown, isFrozen: boolean): void {
  if (typeof copy !== 'object' || copy === null) return
  expect(copy).not.toBe(original)
  expect(Object.isFrozen(copy)).toBe(isFrozen)
  for (const name of Object.keys(copy))
    expectOwn(Reflect.get(copy, name), Reflect.get(original as object, name), isFrozen)
}

test('instances of classes are not copied, dates are, and cycles stay cycles', () => {
  const map = new Map()
  const date = new Date(1)
  const cycle: Record<string, unknown> = { map, date }
  cycle['self'] = [cycle, cycle]
  const copy = copyPlain(cycle, true) as typeof cycle & { self: unknown[] }
  expect(copy['map']).toBe(map)
  expect(copy['date']).toEqual(date)
  expect(copy['date']).not.toBe(date)
  expect(copy.self).toEqual([copy, copy])
  expect(copy.self[0]).toBe(copy)
  expect(copy).not.toBe(cycle)
})
