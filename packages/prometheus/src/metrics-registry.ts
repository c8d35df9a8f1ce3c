import { SluiceError } from '@sluice/core'

/**
 * What is used of prom-client's `Registry`; every one of them fits. It is written down here so that these types need
 * no prom-client where nobody asks for metrics.
 */
export interface MetricsRegistry {
  readonly contentType: string
  /** The text exposition of everything in it. */
  metrics(): Promise<string>
  registerMetric(metric: object): void
  getSingleMetric(name: string): object | undefined
  removeSingleMetric(name: string): void
}

/** Every metric of ours begins with it. */
export type MetricName = `graphql_subscriptions_${string}`

/** Metrics by the names under which they are registered: prom-client renames its counters for OpenMetrics. */
export type NamedMetrics = ReadonlyMap<MetricName, object>

/** @throws SluiceError BAD_CONFIG if one of the names is taken; nothing was registered then */
export function registerMetrics(registry: MetricsRegistry, metrics: NamedMetrics): void {
  for (const name of metrics.keys()) {
    if (registry.getSingleMetric(name) === undefined) continue
    throw new SluiceError(
      'BAD_CONFIG',
      `[collectMetrics] the registry has another metric called ${name}: give the executor a registry of its own.`,
    )
  }
  for (const metric of metrics.values()) registry.registerMetric(metric)
}

/** Removes those that are still there: the registry may have been cleared, and filled by somebody else. */
export function removeMetrics(registry: MetricsRegistry, metrics: NamedMetrics): void {
  for (const [name, metric] of metrics) {
    if (registry.getSingleMetric(name) === metric) registry.removeSingleMetric(name)
  }
}

/** Whether any is still there: `registry.clear()` takes all of them out. */
export function hasAnyOf(registry: MetricsRegistry, metrics: NamedMetrics): boolean {
  return [...metrics].some(([name, metric]) => registry.getSingleMetric(name) === metric)
}
