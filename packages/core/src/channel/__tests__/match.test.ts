import { describe, expect, test } from 'vitest'
import { schemaOf, serve, take } from '../../__tests__/service.ts'
import type { Untyped } from '../../register.ts'
import { fromChannel } from '../from-channel.ts'
import { compileMatch, type Match, satisfies } from '../match.ts'

const holds = (match: Match, data: unknown) => satisfies(data, compileMatch(match))

describe('a match', () => {
  test.each<[Match | null | undefined, unknown]>([
    [null, {}],
    [undefined, null],
    [{}, {}],
    [{ a: null, b: undefined }, {}],
    [{ a: 1 }, { a: 1 }],
    [{ a: 1 }, { a: '1' }],
    [{ a: '1' }, { a: 1 }],
    [{ a: 1n }, { a: 1 }],
    [{ a: 12345678901234567890n }, { a: '12345678901234567890' }],
    [{ a: '1000000000000000000000' }, { a: 1e21 }],
    [{ a: -0 }, { a: 0 }],
    [{ a: 1.5 }, { a: '1.5' }],
    [{ a: true }, { a: true }],
    [{ a: '' }, { a: '' }],
    [{ a: [1, 2] }, { a: '2' }],
    [{ a: [null, 1] as never }, { a: 1 }],
    [{ 'a.b.c': 'x' }, { a: { b: { c: 'x' } } }],
    [{ 'a.1': 'x' }, { a: ['w', 'x'] }],
    [Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
    [JSON.parse('{"__proto__":1}'), JSON.parse('{"__proto__":1}')],
  ])('%o holds for %o', (match, data) => {
    expect(satisfies(data, compileMatch(match))).toBe(true)
  })

  test.each<[Match, unknown]>([
    [{ a: 1 }, {}],
    [{ a: 1 }, null],
    [{ a: 1 }, 'a'],
    [{ a: 1 }, { a: 2 }],
    [{ a: 1 }, { a: null }],
    [{ a: 1 }, { a: [1] }],
    [{ a: 1 }, { a: { 1: 1 } }],
    [{ a: 1 }, { a: true }],
    [{ a: 'true' }, { a: true }],
    [{ a: true }, { a: 'true' }],
    [{ a: false }, { a: 0 }],
    [{ a: '' }, { a: null }],
    [{ a: '1.0' }, { a: 1 }],
    [{ a: '01' }, { a: 1 }],
    [{ a: [] }, { a: 1 }],
    [{ a: [] }, {}],
    [{ a: [null] as never }, { a: null }],
    [{ a: [null] as never }, {}],
    [{ a: 1, b: 2 }, { a: 1 }],
    [{ constructor: 'x' }, {}],
    [{ 'constructor.name': 'Object' }, {}],
    [{ 'a.length': 1 }, { a: 'x' }],
    [{ toString: 'x' }, { a: 1 }],
    [{ 'a.b': 1 }, { 'a.b': 1 }],
  ])('%o does not hold for %o', (match, data) => {
    expect(holds(match, data)).toBe(false)
  })

  test.each<[unknown]>([
    ['text'],
    [7],
    [[1]],
    [new Map([['a', 1]])],
    [{ a: {} }],
    [{ a: [[]] }],
    [{ a: Symbol('a') }],
    [{ a: () => 1 }],
  ])('%o is BAD_CONFIG', (match) => {
    expect(() => compileMatch(match as Match)).toThrow(expect.objectContaining({ code: 'BAD_CONFIG' }))
  })
})

test('a match from arguments selects the events; what its function does wrong is an error of the request', async () => {
  const schema = schemaOf('changed(id: ID, status: [String!]): Json', {
    changed: fromChannel({ channel: 'c', match: async ({ id, status }: Untyped) => ({ 'order.id': id, status }) }),
  })
  const { subscribe, publish, executor } = serve(schema)
  const queries = ['(id: 7)', '(status: ["paid", "sent"])', '(id: "7", status: "paid")', '', '(status: [])']
  const streams = await Promise.all(queries.map((args) => subscribe(`subscription { changed${args} }`)))
  const events = [
    { n: 1, order: { id: 7 }, status: 'new' },
    { n: 2, order: { id: 8 }, status: 'paid' },
    { n: 3, order: { id: '7' }, status: 'paid' },
  ]
  for (const event of events) await publish('c', event)
  const expected = [[1, 3], [2, 3], [3], [1, 2, 3], []]
  for (const [index, numbers] of expected.entries()) {
    for (const n of numbers) expect(await take(streams[index] as never)).toMatchObject({ data: { changed: { n } } })
  }
  expect(executor.metrics()).toMatchObject({ executions: 8, events: { filtered: 7, delivered: 8 } })
})
