import { decodeEventData } from './event-data.ts'
import type { BusEvent } from './event-bus.ts'
import { type ChannelTenant, SHARED } from './channel-key.ts'

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

/** @throws SyntaxError if the data is not JSON. */
export function decodeEvent(event: BusEvent): PublishedEvent {
  const { channel, type, userId, eventId, publishedAt, headers } = event
  return Object.freeze({
    ...tenantOf(channel.tenantId),
    channel: channel.name,
    type,
    data: decodeEventData(event.data),
    ...(userId === undefined ? undefined : { userId }),
    eventId,
    publishedAt,
    ...(headers === undefined ? undefined : { headers: Object.freeze({ ...headers }) }),
  })
}

function tenantOf(tenantId: ChannelTenant): { tenantId?: string } {
  return tenantId === SHARED ? {} : { tenantId }
}
