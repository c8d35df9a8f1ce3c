import type { ExecutionResult } from 'graphql'
import type { MaybePromise } from '../maybe-promise.ts'

/** What the plugins of a host do with the results of one subscription. */
export interface ResultHooks {
  /**
   * Gives the result as its subscriber is to have it: this one, or another. What it throws ends the stream. Absent: nobody
   * wants to see results.
   */
  readonly onResult?: ((result: ExecutionResult) => MaybePromise<ExecutionResult>) | undefined
  /** The stream came to its end, or nobody reads it any more. Called once at most. */
  onEnd(): void
  /** Gives what the reader is told instead of this error. */
  onError(error: unknown): unknown
}
