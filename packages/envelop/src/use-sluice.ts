import type { Plugin } from '@envelop/core'
import {
  executorOf,
  type HostExecutorOptions,
  type RegisteredContext,
  type SluiceContext,
  type SubscriptionExecutor,
} from '@sluice/core'
import { collectMetrics, type MetricsOptions } from '@sluice/prometheus'
import { hostSubscriptions } from './host-subscriptions.ts'

/** The executor's options, or an executor that several hosts share; and where its metrics go. */
export type UseSluiceOptions<TContext = RegisteredContext> = HostExecutorOptions<TContext> & {
  /**
   * Puts the executor's metrics into a registry of prom-client, which has to be installed; `{}` is the global registry.
   * Serve it with what serves that registry.
   * @default none are collected
   */
  readonly metrics?: MetricsOptions | undefined
}

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
  const { metrics, ...executorOptions } = { ...options }
  const { executor, owned } = executorOf<TContext>('useSluice', options && executorOptions)
  const subscriptions = hostSubscriptions(executor)
  const collected = metrics && collectMetrics(executor, metrics)
  const dispose = async (): Promise<void> => {
    // An executor of our own delivers first what was published; a shared one has others to serve.
    if (owned) await executor.drain()
    subscriptions.endAll()
    collected?.stop()
    if (owned) await executor.dispose()
  }
  return { ...subscriptions.plugin, executor, dispose, [Symbol.asyncDispose]: dispose }
}
