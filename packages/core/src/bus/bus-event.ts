import { SluiceError } from '../errors.ts'
import { SHARED } from './channel-key.ts'
import { checkName } from './check-name.ts'
import { EncodedEvent } from './encoded-event.ts'
import type { BusEvent } from './event-bus.ts'
import { encodeEventData } from './event-data.ts'
import { randomId } from './random-id.ts'

/** What is published, before anybody has looked at it. */
export interface UncheckedEvent {
  readonly tenantId?: unknown
  readonly channel?: unknown
  readonly type?: unknown
  readonly data?: unknown
  readonly userId?: unknown
  readonly eventId?: unknown
  readonly headers?: unknown
}

/**
 * Checks an event and encodes its data: what a bus takes.
 *
 * @throws SluiceError BAD_EVENT, saying which part is wrong.
 */
export function toBusEvent(event: UncheckedEvent): BusEvent {
  if (typeof event !== 'object' || event === null) throw new SluiceError('BAD_EVENT', 'An event has to be an object.')
  const { tenantId, channel, type, userId, eventId, headers } = event
  checkName(channel, 'BAD_EVENT', "The event's channel")
  checkName(type, 'BAD_EVENT', "The event's type")
  if (tenantId !== SHARED) checkName(tenantId, 'BAD_EVENT', "The event's tenantId")
  if (userId !== undefined) {
    checkName(userId, 'BAD_EVENT', "The event's userId")
    if (tenantId === SHARED) {
      throw new SluiceError(
        'BAD_EVENT',
        'An event for one user needs a tenant: the same userId at two tenants is two users.',
      )
    }
  }
  if (eventId !== undefined) checkName(eventId, 'BAD_EVENT', "The event's eventId")
  if (headers !== undefined) checkHeaders(headers)
  return new EncodedEvent({
    channel: { tenantId, name: channel },
    type,
    json: encodeEventData(event.data),
    userId,
    eventId: eventId ?? randomId(),
    publishedAt: Date.now(),
    headers,
  })
}

function checkHeaders(headers: unknown): asserts headers is Readonly<Record<string, string>> {
  const isRecord = typeof headers === 'object' && headers !== null && !Array.isArray(headers)
  if (!isRecord || !Object.values(headers).every((value) => typeof value === 'string')) {
    throw new SluiceError('BAD_EVENT', "The event's headers have to be an object of strings.")
  }
}
