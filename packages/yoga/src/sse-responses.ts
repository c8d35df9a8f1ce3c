import type { ServerResponse } from 'node:http'
import { isAsyncIterable, type SubscriptionExecutor, withTimeLimit } from '@sluice/core'
import { Heartbeat } from '@sluice/sse'
import type { Plugin } from 'graphql-yoga'
import { type RequestLifetimes, responseOf } from './request-lifetimes.ts'
import { hasNodeStreams, nodeSseBody } from './node-sse-body.ts'
import { sseBody } from './sse-body.ts'
import type { SseBodyHooks } from './sse-results.ts'

/** The SSE responses of one Yoga server. */
export interface SseResponses {
  readonly onResultProcess: NonNullable<Plugin['onResultProcess']>
  /** Resolves when every response has been written to its end; after 5 s those of clients who do not read are cut. */
  finished(): Promise<void>
}

const heartbeatMs = 12_000
const finishTimeoutMs = 5000
/** Nginx's word for it, in logs: nobody is there to be answered. */
const clientClosedRequest = 499

const headers = {
  'Content-Type': 'text/event-stream',
  Connection: 'keep-alive',
  'Cache-Control': 'no-cache',
  'Content-Encoding': 'none',
}

/** Takes the place of Yoga's own SSE for the results of subscriptions; what is written is the same. */
export function sseResponses(executor: SubscriptionExecutor, lifetimes: RequestLifetimes): SseResponses {
  const heartbeat = new Heartbeat(heartbeatMs)
  /** Each with what cuts it. */
  const open = new Map<Promise<void>, () => void>()

  /** A response is open until its body has ended and, where Node's response is at hand, been handed to the socket. */
  const track = (response: ServerResponse | undefined, cut: () => void): (() => void) => {
    const disconnected = executor.openConnection()
    let bodyEnded = () => {}
    const ended = new Promise<void>((resolve) => {
      bodyEnded = () => {
        disconnected()
        if (response === undefined || response.writableFinished || response.closed) return resolve()
        response.once('finish', resolve).once('close', resolve)
      }
    })
    open.set(ended, cut)
    void ended.then(() => open.delete(ended))
    return bodyEnded
  }

  return {
    onResultProcess({ request, result, resultProcessor, setResultProcessor, serverContext }) {
      // Yoga has chosen by what the request accepts. Its own SSE is replaced, and nobody else's choice.
      if (resultProcessor?.name !== 'processSSEResult' || !isAsyncIterable(result)) return
      setResultProcessor((given, fetchAPI, mediaType) => {
        // A plugin behind this one may have replaced the result since.
        if (!isAsyncIterable(given)) return resultProcessor(given, fetchAPI, mediaType)
        const lifetime = lifetimes.of(request, serverContext)
        if (lifetime.isOver) {
          // The client left while it was subscribed: a body would be read, and cancelled, by nobody.
          lifetime.set(given)
          return new fetchAPI.Response(null, { status: clientClosedRequest })
        }
        const response = responseOf(serverContext)
        const cut = (): void => {
          response?.destroy()
          lifetime.end()
        }
        const untrack = track(response, cut)
        const hooks: SseBodyHooks = {
          startHeartbeat: (beat) => heartbeat.start(beat),
          whenGone: (leave) => lifetime.set(given, leave),
          onError: (error) => executor.reportError(error),
          onStalled: cut,
          onEnd(isComplete) {
            untrack()
            if (isComplete) lifetime.settle()
            else lifetime.end()
          },
        }
        const isNode = response !== undefined && hasNodeStreams(fetchAPI)
        const body = isNode ? nodeSseBody(given, hooks) : sseBody(given, fetchAPI, hooks)
        return new fetchAPI.Response(body as BodyInit, { status: 200, headers })
      }, 'text/event-stream')
    },
    async finished() {
      await withTimeLimit(Promise.all(open.keys()), finishTimeoutMs, () => [])
      for (const cut of open.values()) cut()
    },
  }
}
