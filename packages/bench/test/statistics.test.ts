import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { median, medianRatio, quantile } from '../src/statistics.ts'

const numbers = fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { minLength: 1 })

describe('the median', () => {
  it('is the middle value, or lies between the two', () => {
    expect(median([3])).toBe(3)
    expect(median([9, 1, 5])).toBe(5)
    expect(median([4, 1, 2, 10])).toBe(3)
  })

  it('sorts by value, and leaves its argument as it is', () => {
    const values = [10, 9, 2, 1, 100]
    expect(median(values)).toBe(9)
    expect(values).toEqual([10, 9, 2, 1, 100])
  })

  it('does not depend on the order, and has as many values above it as below', () => {
    fc.assert(
      fc.property(numbers, (values) => {
        const middle = median(values)
        expect(median(values.toReversed())).toBe(middle)
        const below = values.filter((value) => value < middle).length
        const above = values.filter((value) => value > middle).length
        expect(Math.max(below, above)).toBeLessThanOrEqual(values.length / 2)
      }),
    )
  })
})

describe('a quantile', () => {
  it('interpolates between its neighbours', () => {
    expect(quantile([0, 10], 0.99)).toBeCloseTo(9.9)
    expect(
      quantile(
        Float64Array.from({ length: 101 }, (_, index) => 100 - index),
        0.99,
      ),
    ).toBe(99)
  })

  it('is the smallest value at 0 and the largest at 1', () => {
    fc.assert(
      fc.property(numbers, (values) => {
        expect(quantile(values, 0)).toBe(Math.min(...values) + 0) // -0 is measured as 0
        expect(quantile(values, 1)).toBe(Math.max(...values) + 0)
      }),
    )
  })

  it('does not exist without values, or for a share that is none', () => {
    expect(() => quantile([], 0.5)).toThrow(RangeError)
    expect(() => quantile([1], 1.1)).toThrow(RangeError)
    expect(() => quantile([1], Number.NaN)).toThrow(RangeError)
  })
})

describe('the median of ratios', () => {
  it('pairs what was measured side by side, so that a slow phase of the machine cancels out', () => {
    const references = [10, 10, 100, 100, 100]
    expect(medianRatio([20, 20, 200, 200, 200], references)).toBe(2)
    expect(median([20, 200, 200]) / median([10, 10, 100])).toBe(20)
  })

  it('needs pairs', () => {
    expect(() => medianRatio([1, 2], [1])).toThrow(RangeError)
    expect(() => medianRatio([], [])).toThrow(RangeError)
  })
})
