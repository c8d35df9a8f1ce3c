import { isAsyncIterable, releaseStream, SluiceError, type SubscriptionExecutor, watchSubscribe } from '@sluice/core'
import type { ExecutionArgs } from 'graphql'
import type { OperationResult } from 'graphql-ws'

type Subscribe = (args: ExecutionArgs) => OperationResult

/**
 * The `subscribe` of an operation: the executor's, or the application's own if it leads to the executor's. One
 * that goes round it would go round the scope, so its stream is refused.
 */
export function scopedSubscribe(executor: SubscriptionExecutor, own: Subscribe | null | undefined): Subscribe {
  if (!own) return (args) => executor.subscribe(args)
  return async (args) => {
    const watched = watchSubscribe(args)
    const result = await own(watched.args)
    if (!isAsyncIterable(result) || watched.wasReached()) return result
    void releaseStream(result, executor)
    const message =
      '[ws] the option "subscribe" has to call executor.subscribe with the arguments it was given, or a copy of them; it went round the scope.'
    const error = new SluiceError('BAD_CONFIG', message)
    executor.reportError(error)
    return { errors: [error.toGraphQLError()] }
  }
}
