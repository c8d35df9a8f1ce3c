import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { DeliveryCheck } from '../src/client/delivery-check.ts'
import { FIRST_SEQUENCE, workloads } from '../src/workload/workload.ts'

const PUBLISHED_AT = 1000
const NOW = 1500

/** A check of two connections, two events a tick. */
function twoOfTwo() {
  let tickCount = 0
  const check = new DeliveryCheck(2, workloads.order, { transport: 'ws', id: '1' }, () => {
    tickCount += 1
  })
  check.begin(FIRST_SEQUENCE, 2, { transport: 'ws', id: '1' })
  return {
    check,
    tickCount: () => tickCount,
    receive: (connection: number, message: unknown) =>
      check.receive(connection, Buffer.from(typeof message === 'string' ? message : JSON.stringify(message)), NOW),
  }
}

function message(
  index: number,
  changes: { readonly order?: object; readonly payload?: object; readonly outer?: object } = {},
) {
  const orderChanged = { ...workloads.order.make(FIRST_SEQUENCE + index, PUBLISHED_AT), ...changes.order }
  return { id: '1', type: 'next', payload: { data: { orderChanged }, ...changes.payload }, ...changes.outer }
}

describe('what clients get', () => {
  it('is right if every one of them gets every event, in order', () => {
    const { receive, check, tickCount } = twoOfTwo()
    receive(0, message(0))
    receive(0, message(1))
    receive(1, message(0))
    expect(tickCount()).toBe(0)
    receive(1, message(1))
    expect(tickCount()).toBe(1)
    for (const connection of [1, 0]) for (const index of [2, 3]) receive(connection, message(index))
    expect(tickCount()).toBe(2)
    expect(check.end(4)).toEqual(Array.from({ length: 8 }, () => NOW - PUBLISHED_AT))
  })

  it('is right if a server writes the same thing in another way to each of them', () => {
    const { receive, tickCount } = twoOfTwo()
    const { id, type, payload } = message(0)
    receive(0, { id, type, payload })
    receive(1, { type, id, payload })
    receive(0, message(1))
    receive(1, JSON.stringify(message(1), null, 2))
    expect(tickCount()).toBe(1)
  })

  it.each([
    ['another value', message(0, { order: { status: 'LOST' } })],
    ['a field too few', message(0, { order: { note: undefined } })],
    ['a field too many', message(0, { order: { secret: 1 } })],
    ['an error beside the data', message(0, { payload: { errors: [{ message: 'sorry' }] } })],
    ['no data', message(0, { payload: { data: null } })],
    ['the id of another operation', message(0, { outer: { id: '2' } })],
    ['the end of the operation', { id: '1', type: 'complete' }],
    ['a later event', message(1)],
    ['a publication in the future', message(0, { order: { publishedAt: NOW + 1 } })],
    ['no JSON', `${JSON.stringify(message(0))}}`],
    ['nothing', ''],
  ])('is wrong with %s, for the first of them and for any other', (_what, wrong) => {
    const said = /^(Expected event|It does not say when|It is no JSON)/
    expect(() => twoOfTwo().receive(0, wrong)).toThrow(said)
    const { receive } = twoOfTwo()
    receive(0, message(0))
    expect(() => receive(1, wrong)).toThrow(said)
  })

  it('is wrong if an event comes twice', () => {
    const { receive } = twoOfTwo()
    receive(0, message(0))
    expect(() => receive(0, message(0))).toThrow('Expected event 1000001')
  })

  it('is wrong if one of them gets more than was published', () => {
    const { receive } = twoOfTwo()
    receive(0, message(0))
    receive(0, message(1))
    expect(() => receive(0, message(2))).toThrow('More arrived than was published')
  })

  it('is wrong if something is missing in the end', () => {
    const { receive, check } = twoOfTwo()
    receive(0, message(0))
    expect(check.missingCount).toBe(3)
    expect(() => check.end(2)).toThrow('1 messages arrived instead of 4.')
  })

  it('is wrong outside of a round', () => {
    const { receive, check } = twoOfTwo()
    expect(check.end(0)).toEqual([])
    expect(() => receive(0, message(0))).toThrow('More arrived than was published')
  })

  it('is no envelope over SSE', () => {
    const check = new DeliveryCheck(1, workloads.board, { transport: 'sse' }, () => {})
    check.begin(FIRST_SEQUENCE, 1, { transport: 'sse' })
    const boardChanged = workloads.board.make(FIRST_SEQUENCE, PUBLISHED_AT)
    check.receive(0, Buffer.from(JSON.stringify({ data: { boardChanged } })), NOW)
    expect(check.end(1)).toHaveLength(1)
  })
})

describe('the payloads', () => {
  it('are 20 fields in about 450 bytes, and 50 rows in about 5 KB, of the same size for every event', () => {
    const order = workloads.order.make(FIRST_SEQUENCE, PUBLISHED_AT)
    expect(Object.keys(order)).toHaveLength(20)
    const size = (data: object) => JSON.stringify({ data: { field: data } }).length
    expect(Math.abs(size(order) - 450)).toBeLessThan(25)
    expect(Math.abs(size(workloads.board.make(FIRST_SEQUENCE, PUBLISHED_AT)) - 5000)).toBeLessThan(500)
    const sizes = new Set(
      Array.from({ length: 50 }, (_, index) => size(workloads.order.make(FIRST_SEQUENCE + index, PUBLISHED_AT))),
    )
    expect(sizes.size).toBe(1)
  })
})
