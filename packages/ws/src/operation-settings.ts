import type { SubscriptionExecutor } from '@sluice/core'
import type { ExecutionArgs, ExecutionResult, GraphQLError } from 'graphql'
import type { ConnectionInitMessage, Context, OperationResult, ServerOptions, SubscribePayload } from 'graphql-ws'
import type { Extra } from 'graphql-ws/use/ws'

/** graphql-ws's context of one socket. */
export type SocketContext = Context<ConnectionInitMessage['payload'], Extra>

/** graphql-ws's server options, as they are used inside, whatever the caller's types of payload and extra are. */
export type SocketServerOptions = ServerOptions<ConnectionInitMessage['payload'], Extra>

/** What has to be known to start an operation. */
export interface OperationRequest {
  readonly ctx: SocketContext
  readonly id: string
  readonly payload: SubscribePayload
  /** Whether the client completed the operation, or its socket closed, before it was started. */
  readonly ended: boolean
}

/**
 * An operation that was started, or the errors for which it could not be. Where a host runs it there are no
 * arguments to show, and the hooks that would be shown them are not called.
 */
export type StartedOperation =
  | { readonly errors: readonly GraphQLError[] }
  | { readonly args?: ExecutionArgs; readonly result: Awaited<OperationResult> }

/** Everything that the operations of one server have in common. */
export interface OperationSettings {
  readonly executor: SubscriptionExecutor
  readonly hooks: Pick<SocketServerOptions, 'onOperation' | 'onNext' | 'onError' | 'onComplete'>
  readonly replacer: SocketServerOptions['jsonMessageReplacer']
  /** Changes each result that is not sent as the shared bytes. */
  readonly sanitizeResult: ((result: ExecutionResult) => ExecutionResult) | undefined
  /** `undefined` if the operation ended before it was started. */
  readonly start: (request: OperationRequest) => Promise<StartedOperation | undefined>
}
