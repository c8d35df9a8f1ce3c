import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Multimap } from '../multimap.ts'

const values = Array.from({ length: 3 }, (_, id) => ({ id }))
const steps = fc.array(
  fc.record({
    isAdded: fc.boolean(),
    key: fc.constantFrom('a', 'b', '__proto__'),
    value: fc.constantFrom(...values),
  }),
)

test('it is a map of sets without empty ones, in the order of adding', () => {
  fc.assert(
    fc.property(steps, (sequence) => {
      const map = new Multimap<string, object>()
      const model = new Map<string, Set<object>>()
      for (const { isAdded, key, value } of sequence) {
        const known = model.get(key) ?? new Set()
        if (isAdded) {
          expect(map.add(key, value)).toBe(known.size === 0)
          model.set(key, known.add(value))
        } else {
          const wasThere = known.delete(value)
          expect(map.delete(key, value)).toBe(wasThere && known.size === 0)
          if (known.size === 0) model.delete(key)
        }
        expect([...map.values(key)]).toEqual([...(model.get(key) ?? [])])
        expect(map.has(key)).toBe((model.get(key)?.size ?? 0) > 0)
        expect(map.count(key)).toBe(model.get(key)?.size ?? 0)
        expect(map.keyCount).toBe(model.size)
      }
    }),
  )
})
