import { Buffer } from 'node:buffer'
import type { FrameFormat } from './encoded-response.ts'

/**
 * What follows the prefix of a graphql-transport-ws `next` message: the response, and the brace that closes the
 * message. It is the same for every subscriber, so one buffer serves all of them; it is one constant, since a response
 * remembers its frame by the identity of the format.
 *
 * @see https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md#next
 */
export const nextMessageFormat: FrameFormat = { before: Buffer.alloc(0), after: Buffer.from('}') }

/** The part of a `next` message that is the subscriber's own, up to the response. Encoded once per subscription. */
export function nextMessagePrefix(id: string): Buffer {
  return Buffer.from(`{"id":${JSON.stringify(id)},"type":"next","payload":`)
}
