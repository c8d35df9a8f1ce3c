import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type HistoryLimits, HistoryRing } from '../history-ring.ts'

const roomy: HistoryLimits = { maxCount: 1_000, maxBytes: 1_000_000, maxAgeMs: 1_000 }

function ringOf(count: number, limits: Partial<HistoryLimits>): HistoryRing<number> {
  const ring = new HistoryRing<number>({ ...roomy, ...limits })
  for (let value = 1; value <= count; value += 1) ring.append(value, 10, 0)
  return ring
}

describe('HistoryRing', () => {
  it('keeps the newest by count', () => {
    const ring = ringOf(7, { maxCount: 3 })
    expect(ring.after(0, 10)).toEqual([5, 6, 7])
    expect([ring.count, ring.droppedOffset, ring.lastOffset]).toEqual([3, 4, 7])
  })

  it('keeps the newest by bytes, and nothing that is larger than all of them', () => {
    const ring = ringOf(7, { maxBytes: 25 })
    expect(ring.after(0, 10)).toEqual([6, 7])
    expect(ring.bytes).toBe(20)
    ring.append(8, 26, 0)
    expect(ring.after(0, 10)).toEqual([])
    expect([ring.bytes, ring.droppedOffset, ring.lastOffset]).toEqual([0, 8, 8])
  })

  it('keeps what is not older than the age, looked at when appending and trimming', () => {
    const ring = new HistoryRing<string>({ ...roomy, maxAgeMs: 100 })
    ring.append('a', 1, 0)
    ring.append('b', 1, 50)
    ring.trim(100)
    expect(ring.after(0, 10)).toEqual(['a', 'b'])
    ring.trim(101)
    expect(ring.after(0, 10)).toEqual(['b'])
    ring.append('c', 1, 151)
    expect(ring.after(0, 10)).toEqual(['c'])
    expect([ring.isExpired(251), ring.isExpired(252)]).toEqual([false, true])
  })

  it('gives pages', () => {
    const ring = ringOf(6, { maxCount: 4 })
    expect(ring.after(3, 2)).toEqual([4, 5])
    expect(ring.after(5, 2)).toEqual([6])
    expect(ring.after(6, 2)).toEqual([])
  })

  it('goes on with its offsets after it was cleared', () => {
    const ring = ringOf(3, {})
    ring.clear()
    ring.append(4, 10, 0)
    expect(ring.after(0, 10)).toEqual([4])
    expect([ring.count, ring.bytes, ring.droppedOffset, ring.lastOffset]).toEqual([1, 10, 3, 4])
  })

  it('holds what an array that is cut off at the front would hold', () => {
    const step = fc.record({ bytes: fc.nat(40), passesMs: fc.nat(30) })
    const limits = fc.record({ maxCount: fc.integer({ min: 1, max: 9 }), maxBytes: fc.nat(120), maxAgeMs: fc.nat(90) })
    fc.assert(
      fc.property(limits, fc.array(step, { maxLength: 60 }), (bounds, steps) => {
        const ring = new HistoryRing<number>(bounds)
        let model: { value: number; bytes: number; at: number }[] = []
        let now = 0
        for (const [index, { bytes, passesMs }] of steps.entries()) {
          now += passesMs
          ring.append(index + 1, bytes, now)
          model.push({ value: index + 1, bytes, at: now })
          model = model.slice(-bounds.maxCount).filter(({ at }) => now - at <= bounds.maxAgeMs)
          while (sum(model) > bounds.maxBytes) model.shift()
          expect(ring.after(0, 100)).toEqual(model.map(({ value }) => value))
          expect(ring.bytes).toBe(sum(model))
          expect(ring.droppedOffset).toBe(index + 1 - model.length)
        }
      }),
    )
  })
})

function sum(entries: readonly { readonly bytes: number }[]): number {
  return entries.reduce((total, { bytes }) => total + bytes, 0)
}
