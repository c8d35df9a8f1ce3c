import { SluiceError, type SubscriptionExecutor } from '@sluice/core'
import { collectMetrics, type MetricsOptions } from '@sluice/prometheus'
import type { Plugin } from 'graphql-yoga'

/** Where a Yoga server's metrics are collected and served. */
export interface YogaMetricsOptions extends MetricsOptions {
  /** The exact path at which they are served; `false`: something else serves the registry. @default '/metrics' */
  readonly endpoint?: string | false | undefined
}

/** The metrics of a Yoga server's executor. */
export interface MetricsEndpoint {
  /** Serves them, before Yoga looks at the request. */
  readonly onRequest: NonNullable<Plugin['onRequest']>
  stop(): void
}

/** @throws SluiceError BAD_CONFIG, naming the option, or if `prom-client` is not installed */
export function metricsEndpoint(executor: SubscriptionExecutor, options: YogaMetricsOptions): MetricsEndpoint {
  const { endpoint = '/metrics', ...collectOptions } = options
  if (endpoint !== false && !(typeof endpoint === 'string' && /^\/[^?#]*$/.test(endpoint))) {
    throw new SluiceError(
      'BAD_CONFIG',
      '[useSluice] the option "metrics.endpoint" has to be a path that begins with "/".',
    )
  }
  const metrics = collectMetrics(executor, collectOptions)
  return {
    async onRequest({ request: { method }, url, fetchAPI: { Response }, endResponse }) {
      if (url.pathname !== endpoint || (method !== 'GET' && method !== 'HEAD')) return
      try {
        const { contentType, body } = await metrics.render()
        endResponse(new Response(method === 'HEAD' ? null : body, { headers: { 'content-type': contentType } }))
      } catch (error) {
        executor.reportError(error)
        endResponse(new Response('The metrics could not be read.\n', { status: 500 }))
      }
    },
    stop: () => metrics.stop(),
  }
}
