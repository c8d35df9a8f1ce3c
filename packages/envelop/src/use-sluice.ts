import type { Plugin } from '@envelop/core'
import {
  executorOf,
  type HostExecutorOptions,
  type RegisteredContext,
  type SluiceContext,
  type SubscriptionExecutor,
} from '@sluice/core'
import { type HostSubscriptions, hostSubscriptions } from './host-subscriptions.ts'

/** The executor's options, or an executor that several hosts share. */
export type UseSluiceOptions<TContext = RegisteredContext> = HostExecutorOptions<TContext>

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
  const { executor, owned } = executorOf('useSluice', options)
  const subscriptions = hostSubscriptions(executor)
  return { ...subscriptions.plugin, executor, ...disposal(subscriptions, owned) }
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
