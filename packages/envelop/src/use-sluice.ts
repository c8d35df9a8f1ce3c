import type { Plugin } from '@envelop/core'
import {
  createSubscriptionExecutor,
  type RegisteredContext,
  SluiceError,
  type SubscriptionExecutor,
  type SubscriptionExecutorOptions,
} from '@sluice/core'
import { type HostSubscriptions, hostSubscriptions, type SluiceContext } from './host-subscriptions.ts'

/** The executor's options, or an executor that several hosts share. */
export type UseSluiceOptions<TContext = RegisteredContext> =
  | SubscriptionExecutorOptions<TContext>
  | { readonly executor: SubscriptionExecutor }

/** An Envelop plugin that executes subscriptions with Sluice. */
export interface SluicePlugin extends Plugin<SluiceContext>, AsyncDisposable {
  readonly executor: SubscriptionExecutor
  /**
   * Ends the subscriptions of this server with `complete`; an executor that the plugin made is disposed of, and
   * its bus closed. Idempotent. Call it when the server stops.
   */
  dispose(): Promise<void>
}

/**
 * Takes over the execution of subscriptions in an Envelop server, and gives resolvers `context.sluice`, the
 * publisher of whoever asks. Put it after plugins that set an engine.
 *
 * @example
 * ```ts
 * const getEnveloped = envelop({ plugins: [useEngine(graphql), useSchema(schema), useSluice({ scope })] })
 * ```
 *
 * @throws SluiceError BAD_CONFIG, naming the option
 */
export function useSluice<TContext = RegisteredContext>(options: UseSluiceOptions<TContext>): SluicePlugin {
  const { executor, owned } = executorOf(options)
  const subscriptions = hostSubscriptions(executor)
  return { ...subscriptions.plugin, executor, ...disposal(subscriptions, owned) }
}

/** The executor that a host's options name, and whether the host has to dispose of it. */
export function executorOf<TContext>(options: UseSluiceOptions<TContext>): {
  readonly executor: SubscriptionExecutor
  readonly owned: boolean
} {
  if (typeof options !== 'object' || options === null)
    throw new SluiceError('BAD_CONFIG', '[useSluice] the options have to be an object.')
  if ('executor' in options) {
    const { executor, ...others } = options
    const [other] = Object.keys(others)
    if (other !== undefined) {
      throw new SluiceError(
        'BAD_CONFIG',
        `[useSluice] the option "${other}" belongs to the executor; give it to createSubscriptionExecutor.`,
      )
    }
    if (typeof executor?.subscribe !== 'function')
      throw new SluiceError('BAD_CONFIG', '[useSluice] the option "executor" has to be an executor.')
    return { executor, owned: false }
  }
  if (options.scope === undefined) {
    throw new SluiceError(
      'BAD_CONFIG',
      '[useSluice] the option "scope" is missing: it says who a subscriber is, and nobody can subscribe without it.',
    )
  }
  return { executor: createSubscriptionExecutor(options), owned: true }
}

function disposal(
  { endAll, executor }: HostSubscriptions,
  owned: boolean,
): Pick<SluicePlugin, 'dispose' | typeof Symbol.asyncDispose> {
  const dispose = async () => {
    endAll()
    if (owned) await executor.dispose()
  }
  return { dispose, [Symbol.asyncDispose]: dispose }
}
