import type { Position } from '@sluice/core'
import { describe, expect, it } from 'vitest'
import type { BusContractFactory } from '../bus-contract-factory.ts'
import { freshChannel, idsOf, makeEvent, numbered, openBackend, publishMany } from './fixture.ts'

/** What was accepted can be read again, in pages, in order. */
export function historyContract(factory: BusContractFactory): void {
  describe.runIf(factory.capabilities.history)('history', () => {
    it('is empty on a channel without events, and has a position there to go on from', async () => {
      const { bus } = await openBackend(factory)
      const channel = freshChannel()
      const page = await bus.history(channel, { limit: 10 })
      expect(page).toMatchObject({ events: [], hasMore: false })
      expect(page.gap).toBeUndefined()
      await bus.publish(makeEvent(channel, { eventId: 'e1' }))
      expect(idsOf(await bus.history(channel, { after: page.position, limit: 10 }))).toEqual(['e1'])
    })

    it.each([1, 3, 10, 11, 1_000])('is the same in pages of %i', async (limit) => {
      const { bus } = await openBackend(factory)
      const channel = freshChannel()
      const positions = await publishMany(bus, channel, 'e', 10)
      const ids: string[] = []
      const heard: Position[] = []
      let after: Position | undefined
      for (let hasMore = true; hasMore; ) {
        const page = await bus.history(channel, after === undefined ? { limit } : { after, limit })
        expect(page.gap).toBeUndefined()
        expect(page.events.length).toBeLessThanOrEqual(limit)
        expect(page.events.length).toBeGreaterThan(0)
        ids.push(...idsOf(page))
        heard.push(...page.events.map(({ position }) => position))
        after = page.position
        hasMore = page.hasMore
      }
      expect(ids).toEqual(numbered('e', 1, 10))
      expect(heard).toEqual(positions)
      expect(await bus.history(channel, { after: after as Position, limit })).toMatchObject({
        events: [],
        hasMore: false,
      })
    })

    it('goes on after any of its events', async () => {
      const { bus } = await openBackend(factory)
      const channel = freshChannel()
      const positions = await publishMany(bus, channel, 'e', 10)
      for (const [index, after] of positions.entries()) {
        const page = await bus.history(channel, { after, limit: 100 })
        expect(idsOf(page)).toEqual(numbered('e', index + 2, 10))
        expect(page.gap).toBeUndefined()
      }
    })

    it('has everything before `position` that was accepted before it was asked for, and nothing after', async () => {
      const { bus } = await openBackend(factory)
      const channel = freshChannel()
      await publishMany(bus, channel, 'before', 3)
      const position = await bus.position(channel)
      expect(idsOf(await bus.history(channel, { after: position, limit: 10 }))).toEqual([])
      await publishMany(bus, channel, 'after', 3)
      expect(idsOf(await bus.history(channel, { after: position, limit: 10 }))).toEqual(numbered('after', 1, 3))
    })

    it('says that what comes after no position of its own has a gap', async () => {
      const { bus } = await openBackend(factory)
      const channel = freshChannel()
      await publishMany(bus, channel, 'e', 3)
      const page = await bus.history(channel, { after: 'garbage' as Position, limit: 10 })
      expect(page.gap).toBe('epoch')
      expect(idsOf(page)).toEqual(numbered('e', 1, 3))
    })

    it.each([0, -1, 1.5, Number.NaN])('refuses %d as a limit', async (limit) => {
      const { bus } = await openBackend(factory)
      await expect(bus.history(freshChannel(), { limit })).rejects.toMatchObject({ code: 'BAD_CONFIG' })
    })
  })
}
