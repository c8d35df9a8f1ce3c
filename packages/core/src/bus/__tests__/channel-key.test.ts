import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ChannelKey, encodeChannelKey, isSameChannel, SHARED } from '../channel-key.ts'

const awkward = [
  'a',
  'b',
  ':',
  '1',
  '2',
  'tenant',
  'shared',
  '"',
  "'",
  '\\',
  '*',
  '{',
  '}',
  '\n',
  '\0',
  '__proto__',
  '🚢',
  ' ',
]
const text = fc.oneof(
  fc.array(fc.constantFrom(...awkward), { maxLength: 6 }).map((parts) => parts.join('')),
  fc.string(),
)
const key: fc.Arbitrary<ChannelKey> = fc.record({ tenantId: fc.oneof(text, fc.constant(SHARED)), name: text })

describe('encodeChannelKey', () => {
  it('encodes two keys alike only if they are the same channel', () => {
    fc.assert(
      fc.property(key, key, (a, b) => {
        expect(encodeChannelKey(a) === encodeChannelKey(b)).toBe(isSameChannel(a, b))
      }),
      { numRuns: 2_000 },
    )
  })

  it('does not let a separator move between tenant and name', () => {
    fc.assert(
      fc.property(text, text, text, (a, b, c) => {
        const one = encodeChannelKey({ tenantId: a, name: `${b}:${c}` })
        const other = encodeChannelKey({ tenantId: `${a}:${b}`, name: c })
        expect(one).not.toBe(other)
      }),
    )
  })

  it('keeps what is shared apart from a tenant who is called so', () => {
    const shared = encodeChannelKey({ tenantId: SHARED, name: 'orders' })
    for (const tenantId of ['shared', 'shared:orders', '', ':', '0', String(SHARED)]) {
      expect(encodeChannelKey({ tenantId, name: 'orders' })).not.toBe(shared)
    }
  })
})
