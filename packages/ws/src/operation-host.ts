import type { ExecutionResult, GraphQLError } from 'graphql'
import type { OperationResult, SubscribePayload } from 'graphql-ws'
import type { OperationSettings, SocketContext } from './operation-settings.ts'

/**
 * A GraphQL server that runs operations through its own pipeline: parsing, persisted operations, validation,
 * context, masking. It takes the place of graphql-ws's `schema`, `context`, `onSubscribe` and so on.
 */
export interface OperationHost {
  /**
   * Runs one operation: its single result, or the stream of its results; or an array of the errors for which it
   * was refused, which is sent as `error` instead of `next`. Its subscriptions have to be those of the executor. What it throws ends the operation with an error; the client sees its message only if it is a
   * GraphQLError.
   */
  readonly runOperation: (
    ctx: SocketContext,
    id: string,
    payload: SubscribePayload,
  ) => HostedResult | Promise<HostedResult>
  /** Takes away what is not for the client from results that have errors or were changed by hooks. Must not change its argument. */
  readonly sanitizeResult?: (result: ExecutionResult) => ExecutionResult
}

/** What a host answers to an operation. */
export type HostedResult = Awaited<OperationResult> | readonly GraphQLError[]

/** Starts operations by asking the host. */
export function startByHost(host: OperationHost): OperationSettings['start'] {
  return async ({ ctx, id, payload }) => {
    const result = await host.runOperation(ctx, id, payload)
    return isErrors(result) ? { errors: result } : { result }
  }
}

function isErrors(result: HostedResult): result is readonly GraphQLError[] {
  return Array.isArray(result)
}
