import type { BusEvent, ChannelKey } from '@sluice/core'

/** Everything of an event but its channel, which the key tells, and its data, which stays the bytes that it is. */
interface Envelope {
  /** type */
  readonly t: string
  /** eventId */
  readonly i: string
  /** publishedAt */
  readonly p: number
  /** userId */
  readonly u?: string
  /** headers */
  readonly h?: Readonly<Record<string, string>>
}

/** The envelope of an event as JSON, to be put beside its data. */
export function encodeEnvelope({ type, eventId, publishedAt, userId, headers }: BusEvent): string {
  const envelope: Envelope = {
    t: type,
    i: eventId,
    p: publishedAt,
    ...(userId !== undefined && { u: userId }),
    ...(headers !== undefined && { h: headers }),
  }
  return JSON.stringify(envelope)
}

/**
 * The event of an envelope and its data, frozen. The data is copied: the bytes that come from a socket are a view into
 * a larger chunk, which would be kept as long as the event.
 *
 * @throws Error for what {@link encodeEnvelope} did not write; nothing that others put into the stream becomes an event.
 */
export function decodeEvent(channel: ChannelKey, envelope: Uint8Array, data: Uint8Array): BusEvent {
  const parsed: unknown = JSON.parse(Buffer.from(envelope.buffer, envelope.byteOffset, envelope.byteLength).toString())
  if (!isEnvelope(parsed)) throw new Error('what is there is not the envelope of an event')
  const { t, i, p, u, h } = parsed
  return Object.freeze({
    channel,
    type: t,
    data: new Uint8Array(data),
    eventId: i,
    publishedAt: p,
    ...(u !== undefined && { userId: u }),
    ...(h !== undefined && { headers: Object.freeze(h) }),
  })
}

function isEnvelope(value: unknown): value is Envelope {
  if (typeof value !== 'object' || value === null) return false
  const { t, i, p, u, h } = value as Record<string, unknown>
  const hasHeaders =
    h === undefined ||
    (typeof h === 'object' && h !== null && Object.values(h).every((header) => typeof header === 'string'))
  return (
    typeof t === 'string' &&
    typeof i === 'string' &&
    typeof p === 'number' &&
    (u === undefined || typeof u === 'string') &&
    hasHeaders
  )
}
