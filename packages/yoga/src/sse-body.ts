import { comment, completeEvent, internalErrorEvent, nextEvent } from '@sluice/sse'
import type { ExecutionResult } from 'graphql'
import type { FetchAPI } from 'graphql-yoga'
import { sanitizeResult } from './sanitize-result.ts'

/** Who takes care of a body while it is open. */
export interface SseBodyHooks {
  /** Calls the function from time to time, so that a connection without events stays open; returns what stops it. */
  startHeartbeat(beat: () => void): () => void
  /** Is given what ends the body, for when the client has gone: nobody may be reading by then, nor cancel. */
  whenGone(leave: () => Promise<void>): void
  /** The stream of results failed, or a result that JSON cannot hold. */
  onError(error: unknown): void
  /** The client has taken nothing for two heartbeats, although something waits for it: it is gone, or as good as. */
  onStalled(): void
  /** Nothing more is written: the results came to their end, or they failed, or the client has gone. Called once. */
  onEnd(isComplete: boolean): void
}

/**
 * The results of a subscription as server-sent events, pulled only as fast as the client reads. Where a result is
 * still what its group was given, its bytes are the ones that all subscribers share.
 */
export function sseBody(
  results: AsyncIterable<ExecutionResult>,
  { ReadableStream }: Pick<FetchAPI, 'ReadableStream'>,
  { startHeartbeat, whenGone, onError, onStalled, onEnd }: SseBodyHooks,
): ReadableStream<Uint8Array> {
  const iterator: AsyncIterator<ExecutionResult, unknown> = results[Symbol.asyncIterator]()
  let stopHeartbeat = (): void => {}
  let close = (): void => {}
  let unreadBeatCount = 0
  let isPulled = false
  let hasEnded = false

  const end = (isComplete: boolean): void => {
    hasEnded = true
    stopHeartbeat()
    onEnd(isComplete)
  }
  const release = async (): Promise<void> => {
    try {
      await iterator.return?.()
    } catch (error) {
      onError(error)
    }
  }
  const leave = async (): Promise<void> => {
    if (hasEnded) return
    end(false)
    close()
    await release()
  }

  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      if (hasEnded) return controller.close()
      controller.enqueue(comment) // some browsers do not tell of a response before its body begins
      stopHeartbeat = startHeartbeat(() => {
        // Yoga's own ReadableStream always tells of room: there it is only the pull that tells of a reader.
        if (isPulled && (controller.desiredSize ?? 0) > 0) {
          unreadBeatCount = 0
          controller.enqueue(comment)
          return
        }
        unreadBeatCount += 1
        if (unreadBeatCount >= 2) onStalled()
      })
      close = () => {
        try {
          controller.close()
        } catch {
          // It was cancelled, and is closed.
        }
      }
    },
    async pull(controller) {
      unreadBeatCount = 0
      isPulled = true
      let hasFailed = false
      try {
        const { done, value } = await iterator.next()
        if (hasEnded) return
        if (done !== true) {
          controller.enqueue(encode(value, onError))
          return
        }
      } catch (error) {
        onError(error)
        if (hasEnded) return
        hasFailed = true
        controller.enqueue(internalErrorEvent)
        void release()
      } finally {
        isPulled = false
      }
      controller.enqueue(completeEvent)
      controller.close()
      end(!hasFailed)
    },
    cancel: leave,
  })
  whenGone(leave)
  return body
}

/** A result that cannot be written is no reason to end: the client is told of it, and of those that follow. */
function encode(result: ExecutionResult, onError: (error: unknown) => void): Uint8Array {
  try {
    return nextEvent(result, sanitizeResult)
  } catch (error) {
    onError(error)
    return internalErrorEvent
  }
}
