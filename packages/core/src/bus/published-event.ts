import { decodeEventData } from './event-data.ts'
import type { BusEvent } from './event-bus.ts'
import { SHARED } from './channel-key.ts'
import { EncodedEvent } from './encoded-event.ts'

/**
 * An event as resolvers and `eventContext` see it. Frozen, with its data: it is the same object for every
 * group. Of a source that is not a channel only `data` is there.
 */
export interface PublishedEvent {
  /** The tenant that owns the channel; absent for a channel that all tenants share. */
  readonly tenantId?: string
  readonly channel?: string
  readonly type?: string
  readonly data: unknown
  readonly userId?: string
  readonly eventId?: string
  /** Milliseconds since the Unix epoch, by the publisher's clock. */
  readonly publishedAt?: number
  readonly headers?: Readonly<Record<string, string>>
}

/** @throws SluiceError BAD_EVENT if the data is not JSON. */
export function decodeEvent(event: BusEvent): PublishedEvent {
  const { channel, userId, headers } = event
  // Property by property: literals that spread what may be absent cost ten times as much, for every event.
  const decoded: Mutable<PublishedEvent> = {
    channel: channel.name,
    type: event.type,
    data: decodeEventData(EncodedEvent.is(event) ? event.json : event.data),
    eventId: event.eventId,
    publishedAt: event.publishedAt,
  }
  if (channel.tenantId !== SHARED) decoded.tenantId = channel.tenantId
  if (userId !== undefined) decoded.userId = userId
  if (headers !== undefined) decoded.headers = Object.freeze({ ...headers })
  return Object.freeze(decoded)
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
