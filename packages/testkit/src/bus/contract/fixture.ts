import { Buffer } from 'node:buffer'
import { randomUUID } from 'node:crypto'
import type { BusEvent, ChannelKey, EventBus, HistoryPage, Position } from '@sluice/core'
import { onTestFinished } from 'vitest'
import type { BusContractBackend, BusContractFactory, BusContractWishes } from '../bus-contract-factory.ts'

/** Opens a backend for one test; it is closed when the test is over, whatever became of it. */
export async function openBackend(
  factory: BusContractFactory,
  wishes: BusContractWishes = {},
): Promise<BusContractBackend> {
  const backend = await factory.create(wishes)
  onTestFinished(() => backend.close())
  return backend
}

/** Another instance on the same backend, which a bus that claims so must be able to have. */
export async function openAnother(backend: BusContractBackend): Promise<EventBus> {
  if (backend.another === undefined)
    throw new Error('The factory has to give `another` for a bus that claims durable or crossProcess')
  const bus = await backend.another()
  onTestFinished(() => bus.close())
  return bus
}

/** A channel that no other test has. */
export function freshChannel(): ChannelKey {
  return { tenantId: `tenant-${randomUUID()}`, name: 'orders' }
}

/** An event with an id of its own. */
export function makeEvent(channel: ChannelKey, overrides: Partial<BusEvent> = {}): BusEvent {
  return {
    channel,
    type: 'changed',
    data: Buffer.from('{"a":1}'),
    eventId: randomUUID(),
    publishedAt: Date.now(),
    ...overrides,
  }
}

/** Publishes events with ids `<prefix>1`, `<prefix>2`, … one after another. */
export async function publishMany(
  bus: EventBus,
  channel: ChannelKey,
  prefix: string,
  count: number,
): Promise<Position[]> {
  const positions: Position[] = []
  for (const eventId of numbered(prefix, 1, count)) {
    positions.push((await bus.publish(makeEvent(channel, { eventId }))).position)
  }
  return positions
}

/** The ids that {@link publishMany} gives. */
export function numbered(prefix: string, first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, index) => `${prefix}${first + index}`)
}

/** The ids of a page's events. */
export function idsOf(page: HistoryPage): string[] {
  return page.events.map(({ event }) => event.eventId)
}
