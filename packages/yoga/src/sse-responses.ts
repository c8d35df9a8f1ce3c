import type { ServerResponse } from 'node:http'
import type { SubscriptionExecutor } from '@sluice/core'
import type { ExecutionResult } from 'graphql'
import type { Plugin } from 'graphql-yoga'
import { Heartbeat } from './heartbeat.ts'
import { sseBody } from './sse-body.ts'

/** The SSE responses of one Yoga server. */
export interface SseResponses {
  readonly onResultProcess: NonNullable<Plugin['onResultProcess']>
  /** Resolves when every response has been written to its end; after 5 s those of clients who do not read are cut. */
  finished(): Promise<void>
}

const heartbeatMs = 12_000
const finishTimeoutMs = 5000

const headers = {
  'Content-Type': 'text/event-stream',
  Connection: 'keep-alive',
  'Cache-Control': 'no-cache',
  'Content-Encoding': 'none',
}

/** Takes the place of Yoga's own SSE for the results of subscriptions; what is written is the same. */
export function sseResponses(executor: SubscriptionExecutor): SseResponses {
  const heartbeat = new Heartbeat(heartbeatMs)
  const open = new Map<Promise<void>, ServerResponse | undefined>()

  /** A response is open until its body has ended and, where Node's response is at hand, been handed to the socket. */
  const track = (response: ServerResponse | undefined): (() => void) => {
    const disconnected = executor.openConnection()
    let bodyEnded = () => {}
    const ended = new Promise<void>((resolve) => {
      bodyEnded = () => {
        disconnected()
        if (response === undefined || response.writableFinished || response.closed) return resolve()
        response.once('finish', resolve).once('close', resolve)
      }
    })
    open.set(ended, response)
    void ended.then(() => open.delete(ended))
    return bodyEnded
  }

  return {
    onResultProcess({ result, resultProcessor, setResultProcessor, serverContext }) {
      // Yoga has chosen by what the request accepts. Its own SSE is replaced, and nobody else's choice.
      if (resultProcessor?.name !== 'processSSEResult' || !isStream(result)) return
      setResultProcessor((_result, fetchAPI) => {
        const response = responseOf(serverContext)
        const body = sseBody(result, fetchAPI, {
          startHeartbeat: (beat) => heartbeat.start(beat),
          onError: (error) => executor.reportError(error),
          onStalled: () => response?.destroy(),
          onEnd: track(response),
        })
        return new fetchAPI.Response(body, { status: 200, headers })
      }, 'text/event-stream')
    },
    async finished() {
      let timer: NodeJS.Timeout | undefined
      const limit = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, finishTimeoutMs)
      })
      await Promise.race([Promise.all(open.keys()), limit])
      clearTimeout(timer)
      for (const response of open.values()) response?.destroy()
    },
  }
}

/** Node's response, which Yoga has in its context when it serves a `node:http` server. */
function responseOf(context: object): ServerResponse | undefined {
  const response: unknown = Reflect.get(context, 'res')
  return typeof response === 'object' && response !== null && 'writableFinished' in response
    ? (response as ServerResponse)
    : undefined
}

function isStream(result: unknown): result is AsyncIterable<ExecutionResult> {
  return typeof result === 'object' && result !== null && Symbol.asyncIterator in result
}
