import { SluiceError, type SubscriptionExecutor } from '@sluice/core'
import { countersAndGauges } from './counters-and-gauges.ts'
import { createHistograms } from './histograms.ts'
import { checkMetricsOptions, type MetricsOptions } from './metrics-options.ts'
import {
  hasAnyOf,
  type MetricsRegistry,
  type NamedMetrics,
  registerMetrics,
  removeMetrics,
} from './metrics-registry.ts'
import { promClient } from './prom-client.ts'
import { createSnapshotMetric } from './snapshot-metric.ts'
import { snapshotPerScrape } from './snapshot-per-scrape.ts'

/** The metrics of an executor in a registry. Made by {@link collectMetrics}. */
export interface ExecutorMetrics {
  readonly registry: MetricsRegistry
  /**
   * Everything in the registry, in the text format of Prometheus, and the content type to send it with. It rejects with
   * what the `collect` of a metric of yours throws.
   */
  render(): Promise<{ contentType: string; body: string }>
  /**
   * Takes the metrics out of the registry and observes the executor no more, as soon as everybody who asked for the same
   * has called it. May be called again.
   */
  stop(): void
}

/** What a registry has of an executor, for everybody who asked for it. */
interface Collection {
  readonly executor: SubscriptionExecutor
  readonly tenantLimit: number | undefined
  readonly metrics: NamedMetrics
  holderCount: number
  readonly end: () => void
}

/** A registry has the metrics of one executor: two would need a label that tells them apart. */
const collections = new WeakMap<MetricsRegistry, Collection>()

/**
 * Puts the metrics of an executor into a registry of prom-client: counters and gauges, which are read when they are
 * scraped, and histograms, which are observed from now on. Their names begin with `graphql_subscriptions_`.
 *
 * Whoever asks again for the same executor and registry gets the same metrics, with the tenants of who asked first. The
 * executor is left open.
 *
 * @example
 * ```ts
 * const metrics = collectMetrics(executor)
 * app.get('/metrics', async (_, response) => {
 *   const { contentType, body } = await metrics.render()
 *   response.type(contentType).send(body)
 * })
 * ```
 *
 * @throws SluiceError BAD_CONFIG, naming the option that is wrong; if prom-client is not installed; if the registry has
 * the metrics of another executor, or another metric of the same name
 */
export function collectMetrics(executor: SubscriptionExecutor, options: MetricsOptions = {}): ExecutorMetrics {
  checkMetricsOptions(executor, options)
  const registry = options.registry ?? promClient().register
  const collection = collectionIn(registry) ?? startCollection(executor, registry, options.tenants?.limit)
  checkSame(collection, executor, options)
  collection.holderCount += 1
  let isHeld = true
  return {
    registry,
    async render() {
      return { contentType: registry.contentType, body: await registry.metrics() }
    },
    stop() {
      if (!isHeld) return
      isHeld = false
      collection.holderCount -= 1
      if (collection.holderCount === 0) collection.end()
    },
  }
}

/** One whose registry was cleared is over: it ends here, for those who hold it may never say so. */
function collectionIn(registry: MetricsRegistry): Collection | undefined {
  const collection = collections.get(registry)
  if (collection === undefined || hasAnyOf(registry, collection.metrics)) return collection
  collection.end()
  return undefined
}

function startCollection(
  executor: SubscriptionExecutor,
  registry: MetricsRegistry,
  tenantLimit: number | undefined,
): Collection {
  const client = promClient()
  const snapshot = snapshotPerScrape(executor)
  const histograms = createHistograms(client)
  const metrics = new Map(histograms.metrics)
  for (const definition of countersAndGauges(tenantLimit)) {
    metrics.set(definition.name, createSnapshotMetric(client, definition, snapshot))
  }
  registerMetrics(registry, metrics)
  const stopObserving = executor.observe(histograms.observer)
  const collection: Collection = {
    executor,
    tenantLimit,
    metrics,
    holderCount: 0,
    end() {
      stopObserving()
      removeMetrics(registry, metrics)
      if (collections.get(registry) === collection) collections.delete(registry)
    },
  }
  collections.set(registry, collection)
  return collection
}

function checkSame(collection: Collection, executor: SubscriptionExecutor, { tenants }: MetricsOptions): void {
  if (collection.executor !== executor) {
    throw new SluiceError(
      'BAD_CONFIG',
      '[collectMetrics] the registry has the metrics of another executor: give this one a registry of its own, or share one executor.',
    )
  }
  if (tenants !== undefined && tenants.limit !== collection.tenantLimit) {
    throw new SluiceError(
      'BAD_CONFIG',
      '[collectMetrics] the registry has the metrics of this executor with another option "tenants": give the same, or none.',
    )
  }
}
