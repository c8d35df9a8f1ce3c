import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RecencyList } from '../recency-list.ts'

describe('RecencyList', () => {
  it('knows the oldest like an array that is searched', () => {
    const step = fc.record({ item: fc.nat(6), touch: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const list = new RecencyList<number>()
        let model: number[] = []
        for (const { item, touch } of steps) {
          const wasThere = model.includes(item)
          model = model.filter((other) => other !== item)
          if (touch) {
            list.touch(item)
            model.push(item)
          } else {
            expect(list.delete(item)).toBe(wasThere)
          }
          expect(list.oldest).toBe(model[0])
          expect(list.size).toBe(model.length)
        }
        for (const item of model) {
          expect(list.oldest).toBe(item)
          list.delete(item)
        }
        expect(list.oldest).toBeUndefined()
      }),
    )
  })
})
