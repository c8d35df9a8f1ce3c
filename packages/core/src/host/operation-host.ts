import type { IncomingMessage } from 'node:http'
import type { ExecutionResult, GraphQLError } from 'graphql'

/**
 * What a client asks for. Nothing of it has been checked but its types.
 *
 * @see https://graphql.github.io/graphql-over-http/draft/#sec-Request-Parameters
 */
export interface OperationParams {
  readonly query: string
  readonly operationName?: string | null | undefined
  readonly variables?: Readonly<Record<string, unknown>> | null | undefined
  readonly extensions?: Readonly<Record<string, unknown>> | null | undefined
}

/** An operation, as a transport hands it to a host. */
export interface TransportOperation {
  readonly transport: 'ws' | 'sse'
  readonly params: OperationParams
  /** Node's request; over WebSocket the one that was upgraded. */
  readonly req: IncomingMessage
  /** The payload of the client's `connection_init`. Over WebSocket only. */
  readonly connectionParams?: Readonly<Record<string, unknown>> | undefined
  /** It came by GET, which must change nothing: a mutation has to be refused. */
  readonly isReadOnly: boolean
}

/** The single result of an operation, or the stream of its results; or the errors for which it was refused. */
export type HostedResult = ExecutionResult | AsyncIterable<ExecutionResult> | readonly GraphQLError[]

/**
 * A GraphQL server that runs operations through its own pipeline: parsing, persisted operations, validation,
 * context, masking. Transports are given one and know nothing else of the server.
 */
export interface OperationHost<TOperation extends TransportOperation = TransportOperation> {
  /**
   * Runs one operation. Its subscriptions have to be those of the executor. What it throws ends the operation with an
   * error; the client sees its message only if it is a GraphQLError.
   */
  runOperation(operation: TOperation): HostedResult | Promise<HostedResult>
  /**
   * Takes away what is not for the client from results that have errors or were changed by hooks, and from the errors of
   * refused operations. Called as a function, without `this`; must not change its argument.
   */
  sanitizeResult?(result: ExecutionResult): ExecutionResult
}

/** Tells the errors of a refused operation from its result. */
export function isRefusal(result: HostedResult): result is readonly GraphQLError[] {
  return Array.isArray(result)
}
