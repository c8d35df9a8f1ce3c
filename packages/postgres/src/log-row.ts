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
    ...parseHeaders(row.headers),
  })
}

/**
 * Whoever may insert into the inbox may put anything there. What is no object of strings is no headers: an error here
 * would come again at each read, and nobody would hear of any event any more.
 */
function parseHeaders(bytes: Buffer | null): { readonly headers: Readonly<Record<string, string>> } | undefined {
  if (bytes === null) return undefined
  let headers: unknown
  try {
    headers = JSON.parse(bytes.toString())
  } catch {
    return undefined
  }
  return isHeaders(headers) ? { headers: Object.freeze(headers) } : undefined
}

function isHeaders(value: unknown): value is Record<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.values(value).every((header) => typeof header === 'string')
}
