import type { ExecutorObserver } from '@sluice/core'
import type * as PromClient from 'prom-client'
import type { MetricName } from './metrics-registry.ts'

// From resolvers that answer from memory to the default time limit of an execution, 30 s.
const machineSeconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
// How long nothing happens is up to people, not to machines: from a busy channel to a quiet day.
const humanSeconds = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400]
// From a response with an id in it to four times the largest event of the built-in bus. What matters is the magnitude.
const responseBytes = [64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304]

/** What is measured, in no registry yet, and the observer that measures it. */
export interface Histograms {
  readonly metrics: ReadonlyMap<MetricName, object>
  readonly observer: ExecutorObserver
}

/** They have no labels: whatever the number of subscribers, an observer is told once per event and group. */
export function createHistograms({ Histogram }: typeof PromClient): Histograms {
  const metrics = new Map<MetricName, object>()
  const create = (name: MetricName, help: string, buckets: readonly number[]): PromClient.Histogram => {
    const histogram = new Histogram({ name, help, buckets: [...buckets], registers: [] })
    metrics.set(name, histogram)
    return histogram
  }

  const executionDuration = create(
    'graphql_subscriptions_execution_duration_seconds',
    'How long an event took to execute for a group: its context, its filter and its resolvers.',
    machineSeconds,
  )
  const responseSize = create(
    'graphql_subscriptions_response_size_bytes',
    'The size of a response as JSON, once per event and group, without what a transport adds.',
    responseBytes,
  )
  const deliveryLatency = create(
    'graphql_subscriptions_delivery_latency_seconds',
    'From the publishing of an event, by the clock of its publisher, until the last subscription of a group was handed its response.',
    machineSeconds,
  )
  const timeToFirstEvent = create(
    'graphql_subscriptions_time_to_first_event_seconds',
    'From the start of a subscription to its first response, once for each.',
    humanSeconds,
  )

  return {
    metrics,
    observer: {
      executed: (durationMs) => executionDuration.observe(durationMs / 1000),
      serialized: (sizeBytes) => responseSize.observe(sizeBytes),
      delivered: (latencyMs) => deliveryLatency.observe(latencyMs / 1000),
      firstDelivered: (waitMs) => timeToFirstEvent.observe(waitMs / 1000),
    },
  }
}
