import { expect, it } from 'vitest'
import { randomId } from '../random-id.ts'

it('randomId gives 32 hexadecimal digits, and other ones each time', () => {
  const ids = Array.from({ length: 2_000 }, randomId)
  expect(new Set(ids).size).toBe(ids.length)
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/)
  // Every byte of the pool is drawn, also after it was filled anew: no place has the same digits in many ids.
  for (let at = 0; at < 32; at += 2) expect(new Set(ids.map((id) => id.slice(at, at + 2))).size).toBeGreaterThan(200)
})
