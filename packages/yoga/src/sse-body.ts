import type { ExecutionResult } from 'graphql'
import type { FetchAPI } from 'graphql-yoga'
import { type SseBodyHooks, type SseOutlet, SseResults } from './sse-results.ts'

/** The results as a body of the fetch API, for whatever runtime Yoga is on. */
export function sseBody(
  results: AsyncIterable<ExecutionResult>,
  { ReadableStream }: Pick<FetchAPI, 'ReadableStream'>,
  hooks: SseBodyHooks,
): ReadableStream<Uint8Array> {
  let body: ReadableStreamDefaultController<Uint8Array> | undefined
  const outlet: SseOutlet = {
    write(event) {
      body?.enqueue(event)
      return false // it is pulled anew
    },
    close() {
      try {
        body?.close()
      } catch {
        // It was cancelled, and is closed.
      }
    },
  }
  const events = new SseResults(results, outlet, hooks)
  return new ReadableStream<Uint8Array>({
    start(controller) {
      body = controller
      events.start()
    },
    pull: () => events.resume(),
    cancel: () => events.leave(),
  })
}
