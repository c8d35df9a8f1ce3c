import type { MetricsSnapshot } from '@sluice/core'

/** What a scrape has to say of an executor, by name and labels as one would query it, written down a second time. */
export function seriesOf(snapshot: MetricsSnapshot): Record<string, number> {
  const { bus, connections, errors, events, executions, groups, queued, security, serializations, subscriptions } =
    snapshot
  const { rejected } = security
  const labelled = (name: string, label: string, values: Readonly<Record<string, number>>) =>
    Object.fromEntries(Object.entries(values).map(([value, count]) => [`${name}{${label}="${value}"}`, count]))
  const series = {
    connections_active: connections.active,
    connections_opened_total: connections.total,
    active: subscriptions.active,
    started_total: subscriptions.total,
    ...labelled('ended_total', 'reason', { client: 0, complete: 0, source: 0, ...subscriptions.ended.byReason }),
    ...labelled('refused_total', 'code', subscriptions.refused.byCode),
    ...labelled('unshared_active', 'reason', {
      ...{ subscriber: 0, source: 0, scope: 0, variables: 0 },
      ...groups.unshared.byReason,
    }),
    groups_active: groups.active,
    events_published_total: events.published,
    events_received_total: events.received,
    events_delivered_total: events.delivered,
    ...labelled('events_filtered_total', 'reason', events.filteredByReason),
    events_dropped_total: events.dropped,
    gaps_total: events.gaps,
    ...labelled('queue_depth', 'queue', queued),
    executions_total: executions,
    serializations_total: serializations,
    ...labelled('errors_total', 'code', errors.byCode),
    ...labelled('security_checks_total', 'result', {
      passed: security.passed,
      rejected_tenant: rejected.tenant,
      rejected_user: rejected.user,
      rejected_scope: rejected.scope,
    }),
    ...Object.fromEntries(
      ['up', 'degraded', 'down', 'closed'].map((status) => [
        `bus_status{bus="${bus.name}",status="${status}"}`,
        Number(status === bus.status),
      ]),
    ),
  }
  return Object.fromEntries(Object.entries(series).map(([name, value]) => [`graphql_subscriptions_${name}`, value]))
}
