import type { MetricsSnapshot } from '@sluice/core'
import type { Series } from './snapshot-metric.ts'

/**
 * Active subscriptions by tenant in at most `limit` + 1 series, however many tenants there are. The rest has the empty
 * label, which is no tenant's id, and which Prometheus takes for no label.
 */
export function tenantSeries({ active, byTenant }: MetricsSnapshot['subscriptions'], limit: number): Series[] {
  const largest = Object.entries(byTenant).sort(bySize).slice(0, limit)
  const named = largest.map(([tenant, value]) => ({ labels: { tenant }, value }))
  const rest = named.reduce((count, { value }) => count - value, active)
  return [...named, { labels: { tenant: '' }, value: rest }]
}

/** Those of one size by their ids, so that the same have their series in the next scrape. */
function bySize([tenant, count]: [string, number], [otherTenant, otherCount]: [string, number]): number {
  return otherCount - count || (tenant < otherTenant ? -1 : 1)
}
