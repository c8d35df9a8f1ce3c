import { SHARED } from '@sluice/core'
import slotOf from 'cluster-key-slot'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { channelNames, eventIdKey, hashTag, partitionCount } from '../keys.ts'

const space = { keyPrefix: 'sluice', database: 0 }

/** Names that look like parts of keys. */
const part = fc.oneof(
  fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' }),
  fc.stringMatching(/^[a:{}*1-9]{1,12}$/),
  fc.constantFrom('tenant', 'shared', 'tenant:1:a', '1:a', '{00}', '*', '\0', '\n'),
)
const key = fc.record({ tenantId: fc.oneof(part, fc.constant(SHARED)), name: part })

describe('the names of a channel', () => {
  it('are different for different channels, and of different kinds', () => {
    fc.assert(
      fc.property(key, key, (a, b) => {
        const [first, second] = [channelNames(space, a), channelNames(space, b)]
        const isSame = a.tenantId === b.tenantId && a.name === b.name
        expect(new Set([first.meta, first.stream, first.wire]).size).toBe(3)
        const others = new Set([second.meta, second.stream, second.wire])
        for (const name of [first.meta, first.stream, first.wire]) expect(others.has(name)).toBe(isSame)
      }),
      { numRuns: 2_000 },
    )
  })

  it('keep event ids of different channels apart', () => {
    fc.assert(
      fc.property(key, part, key, part, (a, idOfA, b, idOfB) => {
        const isSame = a.tenantId === b.tenantId && a.name === b.name && idOfA === idOfB
        expect(eventIdKey(space, a, idOfA, 0) === eventIdKey(space, b, idOfB, 0)).toBe(isSame)
      }),
      { numRuns: 2_000 },
    )
  })

  it('are all in the hash slot of their partition, whatever braces are in them', () => {
    fc.assert(
      fc.property(key, part, (channel, eventId) => {
        const { partition, meta, stream, wire } = channelNames(space, channel)
        const names = [meta, stream, wire, eventIdKey(space, channel, eventId, partition)]
        expect(new Set(names.map((name) => slotOf(name)))).toEqual(new Set([slotOf(hashTag(partition))]))
      }),
    )
  })

  it('never change: what is at Redis is found by the next version', () => {
    expect(channelNames(space, { tenantId: 'acme', name: 'orders' })).toEqual({
      partition: 33,
      meta: 'sluice:{33}:m:tenant:4:acme:orders',
      stream: 'sluice:{33}:s:tenant:4:acme:orders',
      wire: 'sluice:{33}:c:tenant:4:acme:orders',
    })
    expect(channelNames({ keyPrefix: 'x', database: 3 }, { tenantId: SHARED, name: 'news' })).toMatchObject({
      stream: expect.stringMatching(/^x:\{\d\d\}:s:shared:news$/),
      wire: expect.stringMatching(/^x@3:\{\d\d\}:c:shared:news$/),
    })
  })

  it('are spread over all partitions', () => {
    const counts = new Map<number, number>()
    for (let index = 0; index < 64_000; index += 1) {
      const { partition } = channelNames(space, { tenantId: `t${index % 100}`, name: `order:${index}` })
      counts.set(partition, (counts.get(partition) ?? 0) + 1)
    }
    expect(counts.size).toBe(partitionCount)
    expect(Math.max(...counts.values())).toBeLessThan(1_300)
    expect(Math.min(...counts.values())).toBeGreaterThan(700)
  })
})
