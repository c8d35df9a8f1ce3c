import { Buffer } from 'node:buffer'
import { type BusEvent, SluiceError } from '@sluice/core'
import { channelBytes } from './channel-bytes.ts'

/** An event as the columns of the inbox. */
export interface EventValues {
  readonly channelKey: Buffer
  readonly eventId: Buffer
  readonly type: Buffer
  readonly userId: Buffer | null
  readonly data: Buffer
  readonly headers: Buffer | null
  readonly publishedAt: number
}

const maxNameBytes = 768
const maxKeyBytes = 1_600
const maxHeadersBytes = 65_536

/**
 * The columns of an event, with a copy of its data. What the table's checks would refuse is refused here, since one event
 * must not fail the others that are sent with it.
 *
 * @throws SluiceError EVENT_TOO_LARGE if the data or the headers are too large; BAD_EVENT for names that no host lets through.
 */
export function eventValues(event: BusEvent, maxPayloadBytes: number): EventValues {
  // An event that was encoded here makes new bytes at each look.
  const { data } = event
  if (data.byteLength > maxPayloadBytes) {
    throw new SluiceError(
      'EVENT_TOO_LARGE',
      `[postgresBus] the event has ${data.byteLength} bytes of data, more than ${maxPayloadBytes}; publish less or raise maxPayloadBytes`,
    )
  }
  const headers = event.headers === undefined ? null : Buffer.from(JSON.stringify(event.headers))
  if (headers !== null && headers.byteLength > maxHeadersBytes) {
    throw new SluiceError(
      'EVENT_TOO_LARGE',
      `[postgresBus] the event has ${headers.byteLength} bytes of headers, more than ${maxHeadersBytes}`,
    )
  }
  return {
    channelKey: checked('channel', channelBytes(event.channel), maxKeyBytes),
    eventId: checked('eventId', Buffer.from(event.eventId), maxNameBytes),
    type: checked('type', Buffer.from(event.type), maxNameBytes),
    userId: event.userId === undefined ? null : checked('userId', Buffer.from(event.userId), maxNameBytes),
    data: Buffer.from(data),
    headers,
    publishedAt: event.publishedAt,
  }
}

function checked(what: string, bytes: Buffer, maxBytes: number): Buffer {
  if (bytes.byteLength > 0 && bytes.byteLength <= maxBytes) return bytes
  throw new SluiceError(
    'BAD_EVENT',
    `[postgresBus] the event's ${what} has ${bytes.byteLength} bytes; it may have 1 to ${maxBytes}`,
  )
}
