import type { Buffer } from 'node:buffer'
import type { BusEvent, ChannelKey } from '@sluice/core'

/** An event as the log has it. */
export interface LogRow {
  readonly channel_offset: string
  readonly anchor: string
  readonly event_id: Buffer
  readonly type: Buffer
  readonly user_id: Buffer | null
  readonly data: Buffer
  readonly headers: Buffer | null
  readonly published_at: number
}

/** The event of a row, frozen: all listeners of the channel are told the same object. */
export function toEvent(row: LogRow, channel: ChannelKey): BusEvent {
  return Object.freeze({
    channel,
    type: row.type.toString(),
    data: row.data,
    ...(row.user_id === null ? undefined : { userId: row.user_id.toString() }),
    eventId: row.event_id.toString(),
    publishedAt: row.published_at,
    ...(row.headers === null ? undefined : { headers: parseHeaders(row.headers) }),
  })
}

function parseHeaders(bytes: Buffer): Readonly<Record<string, string>> {
  return Object.freeze(JSON.parse(bytes.toString()) as Record<string, string>)
}
