import { Buffer } from 'node:buffer'
import type { FrameFormat } from '@sluice/core'
import type { ExecutionResult, GraphQLFormattedError } from 'graphql'

/** `JSON.stringify`'s second argument: what graphql-ws calls `jsonMessageReplacer`. */
export type MessageReplacer = (this: unknown, key: string, value: unknown) => unknown

/**
 * What follows the prefix of a `next` message: the response and the brace that closes the message. It is the
 * same for every subscriber, so one buffer serves all sockets; it has to be one constant, since the response
 * remembers its frame by the identity of the format.
 */
export const nextFrameFormat: FrameFormat = { before: Buffer.alloc(0), after: Buffer.from('}') }

/** The part of a `next` message that is the subscriber's own, up to the response. Encoded once per subscription. */
export function nextFramePrefix(id: string): Buffer {
  return Buffer.from(`{"id":${JSON.stringify(id)},"type":"next","payload":`)
}

/**
 * A whole `next` message, for a result that nobody shares.
 *
 * @throws TypeError if JSON cannot hold the result
 */
export function nextMessage(id: string, payload: object, replacer?: MessageReplacer): string {
  return JSON.stringify({ id, type: 'next', payload }, replacer)
}

/** The `error` message, after which the client hears nothing more of the id. */
export function errorMessage(id: string, errors: readonly unknown[], replacer?: MessageReplacer): string {
  return JSON.stringify({ id, type: 'error', payload: errors.map(formatError) }, replacer)
}

export function completeMessage(id: string, replacer?: MessageReplacer): string {
  return JSON.stringify({ id, type: 'complete' }, replacer)
}

/** A result as it is sent: errors formatted, and left out where there are none. */
export function formatResult(result: ExecutionResult): object {
  const { errors, ...rest } = result
  return errors === undefined ? rest : { ...rest, errors: errors.map(formatError) }
}

/** As graphql-ws does it, except that an error which came through a host that rebuilt it need not have `toJSON`. */
function formatError(error: unknown): unknown {
  if (typeof error !== 'object' || error === null || 'toJSON' in error || !(error instanceof Error)) return error
  const { message, locations, path, extensions } = error as Error & Partial<GraphQLFormattedError>
  return { message, locations, path, extensions }
}
