import type { BusNotification, ChannelKey, EventBus, Position } from '@sluice/core'
import { describe, expect, it } from 'vitest'
import type { BusContractBackend, BusContractFactory } from '../bus-contract-factory.ts'
import { recordingListener } from '../recording-listener.ts'
import { freshChannel, idsOf, makeEvent, numbered, openBackend, publishMany } from './fixture.ts'

/** Texts that a client could send in place of a position. */
const garbage = [
  '',
  'garbage',
  '0',
  '-1',
  '0.0',
  '0-0',
  '$',
  '>',
  '+',
  '\0',
  '__proto__',
  '🚢',
  '{}',
  '1'.repeat(5_000),
  'a.b.1',
  'null',
]

/** Replay and live are one stream, and what is missing is said. */
export function resumeContract(factory: BusContractFactory): void {
  describe.runIf(factory.capabilities.history)('resume', () => {
    it('tells what came after the position, then what is live', async () => {
      const { bus } = await openBackend(factory)
      const channel = freshChannel()
      const start = await bus.position(channel)
      const positions = [start, ...(await publishMany(bus, channel, 'e', 10))]
      const recordings = positions.map(() => recordingListener())
      for (const [index, from] of positions.entries()) {
        await bus.subscribe(channel, { from }, recordings[index]?.listener ?? (() => {}))
      }
      await bus.publish(makeEvent(channel, { eventId: 'e11' }))
      for (const [index, recording] of recordings.entries()) {
        await recording.receivedId('e11')
        expect(recording.eventIds).toEqual(numbered('e', index + 1, 11))
        expect(recording.gaps).toEqual([])
      }
    })

    it('has neither hole nor repetition while events are published all the time', async () => {
      const { bus } = await openBackend(factory)
      const channel = freshChannel()
      const reference = recordingListener()
      await bus.subscribe(channel, { from: 'live' }, reference.listener)
      const publishing = publishMany(bus, channel, 'e', 600)
      const resumed = []
      for (let heard = 10; heard <= 500; heard += 35) {
        const events = await reference.received(heard)
        const from = events[Math.floor(heard / 2)]?.position as Position
        const recording = recordingListener()
        await bus.subscribe(channel, { from }, recording.listener)
        resumed.push({ first: Math.floor(heard / 2) + 2, recording })
      }
      await publishing
      for (const { first, recording } of resumed) {
        await recording.receivedId('e600')
        expect(recording.eventIds).toEqual(numbered('e', first, 600))
        expect(recording.gaps).toEqual([])
      }
    })

    it('goes on where a listener was closed, again and again', async () => {
      const { bus } = await openBackend(factory)
      const channel = freshChannel()
      const ids: string[] = []
      let from = await bus.position(channel)
      const publishing = publishMany(bus, channel, 'e', 300)
      while (ids.length < 300) {
        const recording = recordingListener()
        const subscription = await bus.subscribe(channel, { from }, recording.listener)
        await recording.received(Math.min(7, 300 - ids.length))
        await subscription.close()
        ids.push(...recording.eventIds)
        from = recording.events.at(-1)?.position ?? from
      }
      await publishing
      expect(ids).toEqual(numbered('e', 1, 300))
    })

    it.each(garbage.map((text) => [JSON.stringify(text.slice(0, 20)), text]))(
      'tells one gap `epoch` for %s in place of a position',
      async (_, text) => {
        const { bus } = await openBackend(factory)
        await expectOneEpochGap(bus, text as Position)
      },
    )

    it('tells one gap `epoch` for a position of another backend', async () => {
      const { bus } = await openBackend(factory)
      const other = await openBackend(factory)
      const [position] = await publishMany(other.bus, freshChannel(), 'e', 1)
      await expectOneEpochGap(bus, position as Position)
    })

    it('tells one gap `trimmed` if the history was cut, what is left, then what is live', async () => {
      const backend = await openBackend(factory, { historyCount: 10 })
      const { bus } = backend
      const channel = freshChannel()
      const start = await bus.position(channel)
      const left = await publishUntilTrimmed(backend, channel)
      const recording = recordingListener()
      await bus.subscribe(channel, { from: start }, recording.listener)
      await bus.publish(makeEvent(channel, { eventId: 'live' }))
      await recording.receivedId('live')
      expect(kindsOf(recording.notifications)).toEqual(['gap:trimmed', ...left.map(() => 'event'), 'event'])
      expect(recording.eventIds).toEqual([...left, 'live'])
      expect(await bus.history(channel, { after: start, limit: 5 })).toMatchObject({ gap: 'trimmed' })
    })

    it('tells no gap if the history was cut right up to the position', async () => {
      const backend = await openBackend(factory, { historyCount: 10 })
      const { bus } = backend
      const channel = freshChannel()
      await publishUntilTrimmed(backend, channel)
      const { events } = await bus.history(channel, { limit: 1_000 })
      const recording = recordingListener()
      await bus.subscribe(channel, { from: events[0]?.position ?? 'live' }, recording.listener)
      await recording.received(events.length - 1)
      expect(recording.gaps).toEqual([])
      expect(recording.eventIds).toEqual(events.slice(1).map(({ event }) => event.eventId))
    })
  })
}

/** A position that is none: one gap, then everything that is kept, then live; and the gap is not told again. */
async function expectOneEpochGap(bus: EventBus, from: Position): Promise<void> {
  const channel = freshChannel()
  await publishMany(bus, channel, 'e', 3)
  const recording = recordingListener()
  await bus.subscribe(channel, { from }, recording.listener)
  await bus.publish(makeEvent(channel, { eventId: 'e4' }))
  await recording.receivedId('e4')
  expect(kindsOf(recording.notifications)).toEqual(['gap:epoch', 'event', 'event', 'event', 'event'])
  expect(recording.eventIds).toEqual(numbered('e', 1, 4))
  const again = recordingListener()
  await bus.subscribe(channel, { from: recording.gaps[0]?.position as Position }, again.listener)
  await again.receivedId('e4')
  expect(again.eventIds).toEqual(numbered('e', 1, 4))
  expect(again.gaps).toEqual([])
}

/** Publishes until the first event is gone; resolves to the ids of those that are left. */
async function publishUntilTrimmed({ bus, trim }: BusContractBackend, channel: ChannelKey): Promise<string[]> {
  await publishMany(bus, channel, 'first', 1)
  for (let round = 0; round < 50; round += 1) {
    await publishMany(bus, channel, `round ${round}:`, 100)
    await trim?.(channel)
    const left = idsOf(await bus.history(channel, { limit: 10_000 }))
    if (left[0] !== 'first1') return left
  }
  throw new Error('Nothing was trimmed after 5,000 events, although the factory was asked for about 10')
}

/** Without `advance` and `status`, which a bus may tell at any time. */
function kindsOf(notifications: readonly BusNotification[]): string[] {
  return notifications
    .filter(({ kind }) => kind === 'event' || kind === 'gap')
    .map((notification) => (notification.kind === 'gap' ? `gap:${notification.reason}` : notification.kind))
}
