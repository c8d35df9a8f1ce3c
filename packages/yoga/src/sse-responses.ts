import { Buffer } from 'node:buffer'
import { type FrameFormat, rememberedResponse, type SubscriptionExecutor } from '@sluice/core'
import type { ExecutionResult } from 'graphql'
import type { FetchAPI, Plugin } from 'graphql-yoga'
import { Heartbeat } from './heartbeat.ts'
import { sanitizeResult } from './sanitize-result.ts'

/** The SSE responses of one Yoga server. */
export interface SseResponses {
  readonly onResultProcess: NonNullable<Plugin['onResultProcess']>
  /** Resolves when every response has been written to its end, or after 5 s. */
  finished(): Promise<void>
}

/** Distinct connections mode. @see https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md */
const nextEvent: FrameFormat = { before: Buffer.from('event: next\ndata: '), after: Buffer.from('\n\n') }
const completeEvent = Buffer.from('event: complete\ndata:\n\n')
const comment = Buffer.from(':\n\n')

const heartbeatMs = 12_000
const finishTimeoutMs = 5000

/**
 * Writes the results of subscriptions as Yoga's own SSE does, but where the result is still what the group was
 * given, as the bytes that all its subscribers share.
 */
export function sseResponses(executor: SubscriptionExecutor): SseResponses {
  const heartbeat = new Heartbeat(heartbeatMs)
  const open = new Set<Promise<void>>()

  const respond = (results: AsyncIterable<ExecutionResult>, { ReadableStream, Response }: FetchAPI): Response => {
    const iterator = results[Symbol.asyncIterator]()
    let close = () => {}
    const closed = new Promise<void>((resolve) => {
      close = () => {
        stopBeating()
        open.delete(closed)
        resolve()
      }
    })
    open.add(closed)
    let stopBeating = () => {}
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        // Some browsers do not tell of the response before its body begins.
        controller.enqueue(comment)
        stopBeating = heartbeat.start(() => {
          if ((controller.desiredSize ?? 0) > 0) controller.enqueue(comment)
        })
      },
      async pull(controller) {
        try {
          const { done, value } = await iterator.next()
          if (done !== true) {
            controller.enqueue(encode(value))
            return
          }
          controller.enqueue(completeEvent)
          controller.close()
          close()
        } catch (error) {
          executor.reportError(error)
          close()
          controller.error(error)
        }
      },
      async cancel() {
        close()
        await iterator.return?.()
      },
    })
    return new Response(body, {
      status: 200,
      headers: {
        'Content-Type': 'text/event-stream',
        Connection: 'keep-alive',
        'Cache-Control': 'no-cache',
        'Content-Encoding': 'none',
      },
    })
  }

  return {
    onResultProcess({ result, resultProcessor, setResultProcessor }) {
      // Yoga has chosen by what the request accepts. Its own SSE is replaced, and nobody else's choice.
      if (resultProcessor?.name !== 'processSSEResult' || !isSubscriptionResult(result)) return
      setResultProcessor((_result, fetchAPI) => respond(result, fetchAPI), 'text/event-stream')
    },
    async finished() {
      let timer: NodeJS.Timeout | undefined
      const limit = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, finishTimeoutMs)
      })
      await Promise.race([Promise.all([...open]), limit])
      clearTimeout(timer)
    },
  }
}

function encode(result: ExecutionResult): Uint8Array {
  const shared = rememberedResponse(result)
  if (shared !== undefined) return shared.framed(nextEvent)
  return Buffer.from(`event: next\ndata: ${JSON.stringify(sanitizeResult(result))}\n\n`)
}

function isSubscriptionResult(result: unknown): result is AsyncIterable<ExecutionResult> {
  return typeof result === 'object' && result !== null && Symbol.asyncIterator in result
}
