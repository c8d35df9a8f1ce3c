import { internalErrorMasker, SluiceError, type SubscriptionExecutor } from '@sluice/core'
import type { ConnectionInitMessage, ServerOptions } from 'graphql-ws'
import type { Extra } from 'graphql-ws/use/ws'
import { checkExecutor, checkServerOptions } from './check-server-options.ts'
import { composeServerOptions } from './compose-server-options.ts'
import type { SocketServerOptions } from './operation-settings.ts'
import { startByOptions } from './start-operation.ts'

/**
 * The options for graphql-ws's `useServer` with which subscriptions are executed by Sluice: scoped, once per
 * group, and sent as shared bytes. graphql-ws does the protocol.
 *
 * Takes graphql-ws's own options, and every one of them keeps its meaning, with these differences: an error
 * that a hook throws ends its operation instead of closing the socket, and a client sees its message only if it
 * is a GraphQLError (`onError` of the executor hears of all others); documents are parsed and validated once.
 * With `onNext` or `jsonMessageReplacer` each message is made for each subscriber. A `subscribe` of your own has
 * to call `executor.subscribe` with the arguments that it was given, or copies of them.
 *
 * @example
 * ```ts
 * useServer(sluiceServerOptions(executor, { schema, context }), webSocketServer)
 * ```
 *
 * @throws SluiceError BAD_CONFIG, naming the option
 */
export function sluiceServerOptions<
  P extends ConnectionInitMessage['payload'] = ConnectionInitMessage['payload'],
  E extends Extra = Extra,
>(
  executor: SubscriptionExecutor,
  options: ServerOptions<P, E> & ErrorMasking,
): ServerOptions<P, E> & { readonly isProd: boolean } {
  checkExecutor('sluiceServerOptions', executor)
  checkServerOptions('sluiceServerOptions', options as SocketServerOptions)
  const { maskErrors, ...others } = options
  const given = others as SocketServerOptions
  if (maskErrors !== undefined && typeof maskErrors !== 'boolean')
    throw new SluiceError('BAD_CONFIG', '[sluiceServerOptions] the option "maskErrors" has to be a boolean.')
  const masker = maskErrors === true ? internalErrorMasker(executor) : undefined
  return composeServerOptions(executor, given, startByOptions(executor, given), masker)
}

/** What graphql-ws has no option for. */
export interface ErrorMasking {
  /**
   * Whether clients are told of internal errors, of queries and mutations too, as "Internal server error"; the executor's
   * `onError` hears what they were. graphql-ws itself masks nothing.
   * @default false
   */
  readonly maskErrors?: boolean | undefined
}
