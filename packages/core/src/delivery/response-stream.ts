import type { ExecutionResult } from 'graphql'
import type { EndReason } from '../metrics.ts'
import type { EncodedResponse } from './encoded-response.ts'

/**
 * The response stream of a subscription: an async generator of execution results that need not be started.
 *
 * `return()` is idempotent, works at any moment, also before the first `next()`, settles a pending `next()`
 * and releases everything that the subscription held. After the stream rejected, `next()` is done.
 */
export interface ResponseStream extends AsyncGenerator<ExecutionResult, undefined, undefined>, AsyncDisposable {}

/**
 * Who takes the responses of a {@link PushStream}. Its functions are called synchronously, in the hot path:
 * they must neither throw nor wait. Bounding what waits in the transport is the sink's business.
 */
export interface ResponseSink {
  next(response: EncodedResponse): void
  /** The last call, unless `error` is. Neither is called after `return()`. */
  complete(): void
  /** @param error a GraphQLError, unless a host's hook made something else of it */
  error(error: unknown): void
}

/** A response stream that can hand its responses over instead of being pulled. */
export interface PushStream extends ResponseStream {
  /**
   * From now on the sink is called; what waited in the queue comes first. `next()` must not have been
   * called before and is done afterwards. `return()` still ends it. Again after {@link pause}.
   */
  pushTo(sink: ResponseSink): void
  /** For the sink, when it takes no more for now: what comes waits in the stream, within its bounds, till the next `pushTo`. */
  pause(): void
  /** `return()`, at once, and for a reason that metrics tell: a transport that ends its reader knows why. */
  abandon(reason: EndReason): void
}
