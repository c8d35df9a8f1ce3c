import { describe, expect, it } from 'vitest'
import type { BusContractFactory } from '../bus-contract-factory.ts'
import { recordingListener } from '../recording-listener.ts'
import { freshChannel, idsOf, makeEvent, numbered, openAnother, openBackend, publishMany } from './fixture.ts'

/** Every claim is the truth. (`history`, `maxPayloadBytes` and `dedupWindowMs` have parts of their own.) */
export function capabilitiesContract(factory: BusContractFactory): void {
  const { capabilities } = factory

  describe('capabilities', () => {
    it('are what the factory says', async () => {
      const { bus } = await openBackend(factory)
      expect(bus.capabilities).toEqual(capabilities)
      expect(bus.name).toMatch(/^[a-z][a-z0-9-]*$/)
    })

    it.runIf(capabilities.durable)('durable: an accepted event outlives the bus that took it', async () => {
      const backend = await openBackend(factory)
      const channel = freshChannel()
      const [first] = await publishMany(backend.bus, channel, 'e', 3)
      await backend.bus.close()
      const bus = await openAnother(backend)
      const page = await bus.history(channel, first === undefined ? { limit: 10 } : { after: first, limit: 10 })
      expect(idsOf(page)).toEqual(['e2', 'e3'])
      expect(page.gap).toBeUndefined()
    })

    it.runIf(capabilities.crossProcess)(
      'crossProcess: every instance hears every event, all in one order',
      async () => {
        const backend = await openBackend(factory)
        const other = await openAnother(backend)
        const channel = freshChannel()
        const here = recordingListener()
        const there = recordingListener()
        await backend.bus.subscribe(channel, { from: 'live' }, here.listener)
        await other.subscribe(channel, { from: 'live' }, there.listener)
        await Promise.all([publishMany(backend.bus, channel, 'here', 100), publishMany(other, channel, 'there', 100)])
        await Promise.all([here.received(200), there.received(200)])
        expect(here.eventIds).toEqual(there.eventIds)
        for (const prefix of ['here', 'there']) {
          expect(here.eventIds.filter((id) => id.startsWith(prefix))).toEqual(numbered(prefix, 1, 100))
        }
      },
    )

    it.runIf(capabilities.crossProcess && capabilities.history)(
      'crossProcess: a position of one instance is good at another',
      async () => {
        const backend = await openBackend(factory)
        const other = await openAnother(backend)
        const channel = freshChannel()
        const [first] = await publishMany(backend.bus, channel, 'e', 5)
        const recording = recordingListener()
        await other.subscribe(channel, { from: first ?? 'live' }, recording.listener)
        await recording.received(4)
        await backend.bus.publish(makeEvent(channel, { eventId: 'live' }))
        await recording.receivedId('live')
        expect(recording.eventIds).toEqual([...numbered('e', 2, 5), 'live'])
        expect(recording.gaps).toEqual([])
      },
    )

    it.runIf(capabilities.crossProcess && capabilities.dedupWindowMs > 0)(
      'crossProcess: an id that another instance published is known',
      async () => {
        const backend = await openBackend(factory)
        const other = await openAnother(backend)
        const event = makeEvent(freshChannel())
        const { position } = await backend.bus.publish(event)
        expect(await other.publish(event)).toEqual({ position, duplicate: true })
      },
    )

    it.runIf(capabilities.transactionalPublish)(
      'transactionalPublish: an event is there if the transaction was committed',
      async () => {
        const { bus, publishInTransaction } = await openBackend(factory)
        if (publishInTransaction === undefined) throw new Error('The factory has to give `publishInTransaction`')
        const channel = freshChannel()
        const recording = recordingListener()
        await bus.subscribe(channel, { from: 'live' }, recording.listener)
        await publishInTransaction(makeEvent(channel, { eventId: 'no' }), 'rollback')
        await publishInTransaction(makeEvent(channel, { eventId: 'yes' }), 'commit')
        await bus.publish(makeEvent(channel, { eventId: 'after' }))
        await recording.receivedId('after')
        expect(recording.eventIds).toEqual(['yes', 'after'])
      },
    )
  })
}
