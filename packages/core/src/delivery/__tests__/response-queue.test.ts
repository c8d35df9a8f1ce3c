import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Counters } from '../../counters.ts'
import { EncodedResponse } from '../encoded-response.ts'
import type { OverflowPolicy } from '../overflow.ts'
import { ResponseQueue } from '../response-queue.ts'

const services = { counters: new Counters(), report: () => undefined }
const responseOf = (n: number, size = 0) => new EncodedResponse({ data: { n, fill: 'x'.repeat(size) } }, services)

const policies: readonly OverflowPolicy[] = ['disconnect', 'dropOldest', 'dropNewest']
const step = fc.oneof({ weight: 3, arbitrary: fc.nat(120) }, { weight: 1, arbitrary: fc.constant('take' as const) })

test('its bounds hold whatever is offered, nothing is lost without a gap, and the order stays', () => {
  const limits = { maxPendingCount: fc.integer({ min: 1, max: 5 }), maxPendingBytes: fc.integer({ min: 1, max: 600 }) }
  fc.assert(
    fc.property(
      fc.record({ ...limits, policy: fc.constantFrom(...policies) }),
      fc.array(step, { maxLength: 60 }),
      (options, steps) => {
        const counters = new Counters()
        const queue = new ResponseQueue(options, counters)
        const taken: { n: number; hasGap: boolean }[] = []
        const lost = new Set<number>()
        const take = () => {
          const response = queue.take()
          if (response === undefined) return false
          const { data, extensions } = response.result
          taken.push({ n: data?.['n'] as number, hasGap: extensions !== undefined })
          if (extensions !== undefined) expect(extensions).toEqual({ sluice: { gap: { reason: 'overflow' } } })
          return true
        }
        let n = 0
        for (const action of steps) {
          if (action === 'take') {
            take()
            continue
          }
          n += 1
          if (!queue.offer(responseOf(n, action))) lost.add(n)
          expect(queue.size).toBeLessThanOrEqual(options.maxPendingCount)
          expect(counters.queuedResponses).toBe(queue.size)
          // One response finds room however large it is.
          if (queue.size > 1) expect(queue.bytes).toBeLessThanOrEqual(options.maxPendingBytes)
        }
        while (take());
        const next = queue.pass(responseOf(0)) // a gap after the last response is told with the next one
        taken.push({ n: n + 1, hasGap: next.result.extensions !== undefined })
        expect(queue.bytes).toBe(0)
        expect(counters.queuedResponses).toBe(0)
        const all = Array.from({ length: n }, (_, index) => index + 1)
        const received = taken.slice(0, -1).map((item) => item.n)
        expect(received).toEqual(all.filter((item) => received.includes(item)))
        expect(received.length + counters.dropped).toBe(n)
        if (options.policy === 'disconnect') {
          expect(received).toEqual(all.filter((item) => !lost.has(item)))
          return
        }
        expect(lost.size).toBe(0)
        let last = 0
        for (const item of taken) {
          expect(item.hasGap).toBe(item.n !== last + 1)
          last = item.n
        }
      },
    ),
    { numRuns: 500 },
  )
})

test('dropOldest keeps the newest, and says so with the first of them', () => {
  const counters = new Counters()
  const queue = new ResponseQueue({ maxPendingCount: 2, maxPendingBytes: 1000, policy: 'dropOldest' }, counters)
  for (const n of [1, 2, 3, 4]) expect(queue.offer(responseOf(n))).toBe(true)
  expect(counters.dropped).toBe(2)
  expect(queue.take()?.result).toMatchObject({
    data: { n: 3 },
    extensions: { sluice: { gap: { reason: 'overflow' } } },
  })
  expect(queue.take()?.result).toEqual({ data: { n: 4, fill: '' } })
})

test('dropNewest keeps the oldest, and says so with the next that finds room', () => {
  const counters = new Counters()
  const queue = new ResponseQueue({ maxPendingCount: 2, maxPendingBytes: 1000, policy: 'dropNewest' }, counters)
  for (const n of [1, 2, 3, 4]) expect(queue.offer(responseOf(n))).toBe(true)
  expect(counters.dropped).toBe(2)
  expect([queue.take()?.result, queue.take()?.result]).toEqual([1, 2].map((n) => ({ data: { n, fill: '' } })))
  queue.offer(responseOf(5))
  queue.offer(responseOf(6))
  expect(queue.take()?.result.extensions).toEqual({ sluice: { gap: { reason: 'overflow' } } })
  expect(queue.take()?.result.extensions).toBeUndefined()
})
