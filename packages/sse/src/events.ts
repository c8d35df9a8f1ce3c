import { Buffer } from 'node:buffer'
import { formatErrors, type FrameFormat, internalErrorResult, rememberedResponse, toClientError } from '@sluice/core'
import type { ExecutionResult } from 'graphql'

/**
 * What stands round a response as a `next` event. It is one constant for every host, since a response remembers its frame
 * by the identity of the format: a group that is spread over several servers still has one buffer.
 *
 * @see https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md#next-event
 */
export const nextEventFormat: FrameFormat = { before: Buffer.from('event: next\ndata: '), after: Buffer.from('\n\n') }

export const completeEvent: Uint8Array = Buffer.from('event: complete\ndata:\n\n')

/** Means nothing, and keeps a connection open. */
export const comment: Uint8Array = Buffer.from(':\n\n')

/** What a group's subscribers are told as well when their event failed; the failure itself is not in it. */
export const internalErrorEvent: Uint8Array = nextEvent(internalErrorResult())

/** What a client is told whose operation failed, as a whole; the failure itself is not in it. */
export const failedOperationEvent: Uint8Array = nextEvent({ errors: [toClientError(undefined)] })

/**
 * A `next` event. A result that is still what its group was given becomes the bytes that all subscribers share; any other
 * is serialised.
 *
 * @param sanitize takes away what is not for the client, where it has to be serialised
 * @throws what JSON.stringify, a `toJSON` or `sanitize` throws, and TypeError if nothing of the result is left
 */
export function nextEvent(
  result: ExecutionResult,
  sanitize?: (result: ExecutionResult) => ExecutionResult,
): Uint8Array {
  const shared = rememberedResponse(result)
  if (shared !== undefined) return shared.framed(nextEventFormat)
  const sanitized: unknown = sanitize === undefined ? result : sanitize(result)
  if (typeof sanitized !== 'object' || sanitized === null) throw new TypeError('[sse] a result is no object.')
  const text = JSON.stringify(formatErrors(sanitized)) as string | undefined
  if (text === undefined) throw new TypeError('[sse] JSON leaves nothing of a result.')
  return Buffer.from(`event: next\ndata: ${text}\n\n`)
}
