import { randomUUID } from 'node:crypto'
import type { BusEvent, ChannelKey, EventBus } from '@sluice/core'
import { type RecordingListener, recordingListener } from '@sluice/testkit'
import { expect } from 'vitest'
import { channelBytes } from '../../channel-bytes.ts'
import type { BusBackend } from './bus-backend.ts'

/** A tenant's channel. */
export interface TenantChannel {
  readonly tenantId: string
  readonly name: string
}

/** A channel that no other test has. */
export function freshChannel(name = 'orders'): TenantChannel {
  return { tenantId: `tenant-${randomUUID()}`, name }
}

export function makeEvent(channel: ChannelKey, eventId: string, data: unknown = 1): BusEvent {
  return { channel, type: 'changed', data: Buffer.from(JSON.stringify(data)), eventId, publishedAt: Date.now() }
}

/** Subscribes a recording listener. */
export async function record(bus: EventBus, channel: ChannelKey): Promise<RecordingListener> {
  const recording = recordingListener()
  await bus.subscribe(channel, { from: 'live' }, recording.listener)
  return recording
}

/** What was committed to a channel, in the order of its offsets, which have no hole. */
export async function committedIds({ query, s }: BusBackend, channel: ChannelKey): Promise<string[]> {
  const rows = await query<{ event_id: Buffer; channel_offset: string }>(
    `SELECT l.event_id, l.channel_offset FROM ${s}.log l JOIN ${s}.channels c ON c.id = l.channel_id
     WHERE c.key = $1 ORDER BY l.channel_offset`,
    [channelBytes(channel)],
  )
  expect(rows.map(({ channel_offset }) => Number(channel_offset))).toEqual(rows.map((_, index) => index + 1))
  return rows.map(({ event_id }) => event_id.toString())
}

/**
 * Invariant I: what a subscriber got is what was committed, no hole, no duplicate, no reordering, and no gap was told.
 * Waits for the last event, which the caller publishes when everything else is over.
 */
export async function expectWhole(
  backend: BusBackend,
  channel: ChannelKey,
  recordings: readonly RecordingListener[],
  lastId: string,
): Promise<string[]> {
  for (const recording of recordings) await recording.receivedId(lastId)
  const committed = await committedIds(backend, channel)
  expect(new Set(committed).size).toBe(committed.length)
  for (const recording of recordings) {
    expect(recording.eventIds).toEqual(committed)
    expect(recording.gaps).toEqual([])
  }
  return committed
}

/** Publishes until it is accepted, as a caller would: with the same id. Resolves to how often it took. */
export async function publishStubbornly(bus: EventBus, event: BusEvent): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await bus.publish(event)
      return attempt
    } catch (error) {
      if (!(error instanceof Error && 'retryable' in error && error.retryable === true)) throw error
    }
  }
}
