import { Buffer } from 'node:buffer'
import { INTERNAL_SERVER_ERROR, isMeantForClient, type SubscriptionExecutor } from '@sluice/core'
import { CloseCode } from 'graphql-ws'
import { connectionOf } from './connection.ts'
import { Operation } from './operation.ts'
import type { OperationSettings, SocketContext, SocketServerOptions } from './operation-settings.ts'
import { runOperation } from './run-operation.ts'

/**
 * graphql-ws's options with our way of running operations, and with hooks of the connection that cannot tell
 * a client what they threw.
 *
 * graphql-ws goes on doing the protocol: the sub-protocol, initialisation and acknowledgement, pings, the check
 * of messages, duplicate ids, and the `complete` message that ends an operation. Running one, from the
 * arguments to its last frame, is ours from `onSubscribe` on, because graphql-ws knows an operation by its id
 * only: between any two of its steps a client can complete an id and use it again, and then the first
 * operation would send its results, its errors and its `complete` under the id of the second, and remove it.
 */
export function composeServerOptions(
  executor: SubscriptionExecutor,
  options: SocketServerOptions,
  start: OperationSettings['start'],
  sanitizeResult?: OperationSettings['sanitizeResult'],
): SocketServerOptions & { readonly isProd: true } {
  const { onOperation, onNext, onError, onComplete, jsonMessageReplacer: replacer } = options
  const hooks = { onOperation, onNext, onError, onComplete }
  const settings: OperationSettings = { executor, hooks, replacer, sanitizeResult, start }
  const { onConnect, onDisconnect, onPing, onPong, onClose } = options
  const connectionFailed = (ctx: SocketContext, error: unknown) => {
    if (!isMeantForClient(error)) executor.reportError(error)
    // A reason may have 123 bytes.
    const reason =
      isMeantForClient(error) && Buffer.byteLength(error.message) < 124 ? error.message : INTERNAL_SERVER_ERROR
    ctx.extra.socket.close(CloseCode.InternalServerError, reason)
  }

  return {
    ...options,
    // Should a hook be replaced after us, subscriptions still do not go round the scope.
    subscribe: (args) => executor.subscribe(args),
    // graphql-ws would put the message of an error into the reason of the close frame.
    isProd: true,

    async onConnect(ctx) {
      try {
        connectionOf(ctx.extra, executor)
        // JSON makes it an own property; whoever copies it with Object.assign would have it as the prototype.
        if (ctx.connectionParams != null) Reflect.deleteProperty(ctx.connectionParams, '__proto__')
        return await onConnect?.(ctx)
      } catch (error) {
        connectionFailed(ctx, error)
        return false
      }
    },
    async onPing(ctx, payload) {
      try {
        if (connectionOf(ctx.extra, executor).takesRequests()) await onPing?.(ctx, payload)
      } catch (error) {
        connectionFailed(ctx, error)
      }
    },
    async onPong(ctx, payload) {
      try {
        await onPong?.(ctx, payload)
      } catch (error) {
        connectionFailed(ctx, error)
      }
    },
    // Nobody waits for these two: a rejection would end the process.
    async onDisconnect(ctx, code, reason) {
      try {
        await onDisconnect?.(ctx, code, reason)
      } catch (error) {
        executor.reportError(error)
      }
    },
    async onClose(ctx, code, reason) {
      try {
        await onClose?.(ctx, code, reason)
      } catch (error) {
        executor.reportError(error)
      }
    },

    onSubscribe(ctx, id, payload) {
      const connection = connectionOf(ctx.extra, executor)
      if (connection.takesRequests()) {
        const operation = new Operation(connection, ctx, id, payload, settings)
        runOperation(operation, settings).catch((error: unknown) => executor.reportError(error))
      }
      return neverAgain()
    },
  }
}

/**
 * What graphql-ws waits for while the operation is ours: for ever. A promise of its own each time, which nobody
 * can settle and nobody but the waiting function knows, so both are garbage at once; a shared one would
 * collect all who ever waited.
 */
function neverAgain(): Promise<never> {
  return new Promise(() => {})
}
