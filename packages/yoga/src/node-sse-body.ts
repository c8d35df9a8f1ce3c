import { Readable } from 'node:stream'
import type { ExecutionResult } from 'graphql'
import type { FetchAPI } from 'graphql-yoga'
import { type SseBodyHooks, type SseOutlet, SseResults } from './sse-results.ts'

/**
 * The results as a stream of Node's, which Yoga pipes into Node's response: an event is written to it within the call that
 * hands it over, so that what comes in one tick leaves in one system call. Nothing is read ahead.
 */
export function nodeSseBody(results: AsyncIterable<ExecutionResult>, hooks: SseBodyHooks): Readable {
  let hasStarted = false
  const outlet: SseOutlet = {
    write(event) {
      // Where it flows, a response without room has paused it by now. Where it is read, it is asked for more.
      return body.push(event) && body.readableFlowing === true
    },
    close() {
      if (!body.destroyed) body.push(null)
    },
  }
  const body = new Readable({
    highWaterMark: 0,
    read() {
      if (hasStarted) return events.resume()
      hasStarted = true
      events.start()
    },
    destroy(_error, closed) {
      void events.leave().then(() => closed(null))
    },
  })
  const events = new SseResults(results, outlet, hooks)
  return body
}

/** Whether it is the fetch API that Yoga brings along for Node, whose bodies are streams of Node's. */
export function hasNodeStreams({ ReadableStream }: Pick<FetchAPI, 'ReadableStream'>): boolean {
  const stream = new Readable()
  return Reflect.get(new ReadableStream(stream as UnderlyingDefaultSource), 'readable') === stream
}
