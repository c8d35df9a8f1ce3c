import type { MetricsSnapshot, SubscriptionExecutor } from '@sluice/core'

/**
 * The snapshot of a scrape. A registry asks all its metrics before it awaits the first of them, so whoever asks before
 * the next microtask gets the same: the executor is asked once, and the metrics agree with each other.
 */
export function snapshotPerScrape(executor: SubscriptionExecutor): () => MetricsSnapshot {
  let snapshot: MetricsSnapshot | undefined
  return () => {
    if (snapshot === undefined) {
      snapshot = executor.metrics()
      queueMicrotask(() => {
        snapshot = undefined
      })
    }
    return snapshot
  }
}
