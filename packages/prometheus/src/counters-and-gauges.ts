import type { BusStatus, EndReason, SluiceErrorCode, UnsharedReason } from '@sluice/core'
import { by, counter, gauge, one, type SeriesReader, type SnapshotMetric } from './snapshot-metric.ts'
import { tenantSeries } from './tenant-series.ts'

// A series that begins with its first event hides it from rate(), so whatever has a fixed set of names starts at 0.
// Codes come as they occur: they are many, and those that never do are noise.
const endReasons: Readonly<Record<Exclude<EndReason, SluiceErrorCode>, number>> = { client: 0, complete: 0, source: 0 }
const unsharedReasons: Readonly<Record<UnsharedReason, number>> = { subscriber: 0, source: 0, scope: 0, variables: 0 }
const busStatuses: Readonly<Record<BusStatus, number>> = { up: 0, degraded: 0, down: 0, closed: 0 }

/** Everything that is read from a snapshot. With a limit, active subscriptions have their tenant as a label. */
export function countersAndGauges(tenantLimit: number | undefined): readonly SnapshotMetric[] {
  return [
    gauge(
      'graphql_subscriptions_connections_active',
      'Connections that are open now.',
      one(({ connections }) => connections.active),
    ),
    counter(
      'graphql_subscriptions_connections_opened_total',
      'Connections that were opened.',
      one(({ connections }) => connections.total),
    ),
    gauge(
      'graphql_subscriptions_active',
      'Subscriptions that run now.',
      tenantLimit === undefined ? one(({ subscriptions }) => subscriptions.active) : byTenant(tenantLimit),
    ),
    counter(
      'graphql_subscriptions_started_total',
      'Subscriptions that were started.',
      one(({ subscriptions }) => subscriptions.total),
    ),
    counter(
      'graphql_subscriptions_ended_total',
      'Subscriptions that ran and ended: by the client, completed by the server, because their source failed, or with an error code.',
      by('reason', ({ subscriptions }) => ({ ...endReasons, ...subscriptions.ended.byReason })),
    ),
    counter(
      'graphql_subscriptions_refused_total',
      'Subscriptions that were not started, by error code. What the server refused before (parsing, validation) is not among them.',
      by('code', ({ subscriptions }) => subscriptions.refused.byCode),
    ),
    gauge(
      'graphql_subscriptions_unshared_active',
      'Subscriptions that run now and are executed on their own, by what keeps them from sharing an execution.',
      by('reason', ({ groups }) => ({ ...unsharedReasons, ...groups.unshared.byReason })),
    ),
    gauge(
      'graphql_subscriptions_groups_active',
      'Groups of identical subscriptions that exist now. An event is executed once per group.',
      one(({ groups }) => groups.active),
    ),
    counter(
      'graphql_subscriptions_events_published_total',
      'Events from this process that the bus accepted.',
      one(({ events }) => events.published),
    ),
    counter(
      'graphql_subscriptions_events_received_total',
      'Events that the bus brought to this process, its own among them.',
      one(({ events }) => events.received),
    ),
    counter(
      'graphql_subscriptions_events_delivered_total',
      'Responses that were handed to subscriptions: one per event and subscription.',
      one(({ events }) => events.delivered),
    ),
    counter(
      'graphql_subscriptions_events_filtered_total',
      'Events that were kept from a group on their channel, counted per group, by what kept them: type, match, user or filter.',
      by('reason', ({ events }) => events.filteredByReason),
    ),
    counter(
      'graphql_subscriptions_events_dropped_total',
      'Events and responses that are lost: dropped because a queue was full, or not to be decoded.',
      one(({ events }) => events.dropped),
    ),
    counter(
      'graphql_subscriptions_gaps_total',
      'Interruptions after which events may be missing.',
      one(({ events }) => events.gaps),
    ),
    gauge(
      'graphql_subscriptions_queue_depth',
      'What waits now: events for their execution, and responses for readers. What waits in sockets is not among them.',
      by('queue', ({ queued }) => ({ events: queued.events, responses: queued.responses })),
    ),
    counter(
      'graphql_subscriptions_executions_total',
      'Operations that were executed: one per event and group.',
      one(({ executions }) => executions),
    ),
    counter(
      'graphql_subscriptions_serializations_total',
      'Results that were turned into bytes: one per event and group, and those that hooks of the host changed.',
      one(({ serializations }) => serializations),
    ),
    counter(
      'graphql_subscriptions_errors_total',
      'Errors by code. UNKNOWN are those of resolvers, hooks and sockets; the log has them.',
      by('code', ({ errors }) => errors.byCode),
    ),
    counter(
      'graphql_subscriptions_security_checks_total',
      'Decisions about who may receive or publish: passed, or rejected because of the tenant, the user, or a scope that names nobody.',
      by('result', ({ security: { passed, rejected } }) => ({
        passed,
        rejected_tenant: rejected.tenant,
        rejected_user: rejected.user,
        rejected_scope: rejected.scope,
      })),
    ),
    gauge(
      'graphql_subscriptions_bus_status',
      '1 for the status that the bus has now, 0 for the others. degraded: events may be late. down: no connection.',
      busStatus,
    ),
  ]
}

function byTenant(limit: number): SeriesReader {
  return { labelNames: ['tenant'], read: ({ subscriptions }) => tenantSeries(subscriptions, limit) }
}

const busStatus: SeriesReader = {
  labelNames: ['bus', 'status'],
  read: ({ bus }) =>
    Object.entries({ ...busStatuses, [bus.status]: 1 }).map(([status, value]) => ({
      labels: { bus: bus.name, status },
      value,
    })),
}
