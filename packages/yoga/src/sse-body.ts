import { Buffer } from 'node:buffer'
import { type FrameFormat, rememberedResponse } from '@sluice/core'
import type { ExecutionResult } from 'graphql'
import type { FetchAPI } from 'graphql-yoga'
import { sanitizeResult } from './sanitize-result.ts'

/** Distinct connections mode. @see https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md */
const nextEvent: FrameFormat = { before: Buffer.from('event: next\ndata: '), after: Buffer.from('\n\n') }
const completeEvent = Buffer.from('event: complete\ndata:\n\n')
const comment = Buffer.from(':\n\n')

/** Who takes care of a body while it is open. */
export interface SseBodyHooks {
  /** Calls the function from time to time, so that a connection without events stays open; returns what stops it. */
  startHeartbeat(beat: () => void): () => void
  /** The stream of results failed. */
  onError(error: unknown): void
  /** The client has taken nothing for two heartbeats, although something waits for it: it is gone, or as good as. */
  onStalled(): void
  /** Nothing more is written: the results came to their end, or the client has gone. Called once. */
  onEnd(): void
}

/**
 * The results of a subscription as server-sent events, pulled only as fast as the client reads. Where a result is
 * still what its group was given, its bytes are the ones that all subscribers share.
 */
export function sseBody(
  results: AsyncIterable<ExecutionResult>,
  { ReadableStream }: Pick<FetchAPI, 'ReadableStream'>,
  { startHeartbeat, onError, onStalled, onEnd }: SseBodyHooks,
): ReadableStream<Uint8Array> {
  const iterator: AsyncIterator<ExecutionResult, unknown> = results[Symbol.asyncIterator]()
  let stopHeartbeat: (() => void) | undefined
  let unreadBeatCount = 0
  const end = () => {
    if (stopHeartbeat === undefined) return
    stopHeartbeat()
    stopHeartbeat = undefined
    onEnd()
  }
  return new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(comment) // some browsers do not tell of a response before its body begins
      stopHeartbeat = startHeartbeat(() => {
        if ((controller.desiredSize ?? 0) > 0) {
          controller.enqueue(comment)
          return
        }
        unreadBeatCount += 1
        if (unreadBeatCount >= 2) onStalled()
      })
    },
    async pull(controller) {
      unreadBeatCount = 0
      try {
        const { done, value } = await iterator.next()
        if (done !== true) {
          controller.enqueue(encode(value))
          return
        }
        controller.enqueue(completeEvent)
        controller.close()
      } catch (error) {
        onError(error)
        controller.error(error)
      }
      end()
    },
    async cancel() {
      end()
      await iterator.return?.()
    },
  })
}

function encode(result: ExecutionResult): Uint8Array {
  const shared = rememberedResponse(result)
  if (shared !== undefined) return shared.framed(nextEvent)
  return Buffer.from(`event: next\ndata: ${JSON.stringify(sanitizeResult(result))}\n\n`)
}
