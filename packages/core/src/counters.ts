import type { SluiceErrorCode } from './errors.ts'
import type { ExecutorObserver } from './executor-observer.ts'
import type { EndReason, MetricsSnapshot, UnsharedReason } from './metrics.ts'

/**
 * The counters behind {@link MetricsSnapshot}: plain numbers, so that the hot path adds to a field and does
 * nothing else.
 */
export class Counters {
  connectionsActive = 0
  connectionsTotal = 0
  subscriptionsTotal = 0
  subscriptionsActive = 0
  readonly subscriptionsByTenant: Map<string, number> = new Map()
  readonly endedByReason: Map<EndReason, number> = new Map()
  readonly refusedByCode: Map<SluiceErrorCode | 'UNKNOWN', number> = new Map()
  readonly unsharedByReason: Map<UnsharedReason, number> = new Map()
  groupsActive = 0
  published = 0
  received = 0
  delivered = 0
  filteredByType = 0
  filteredByMatch = 0
  filteredByUser = 0
  filteredByFilter = 0
  dropped = 0
  gaps = 0
  queuedEvents = 0
  queuedResponses = 0
  executions = 0
  serializations = 0
  readonly errorsByCode: Map<SluiceErrorCode | 'UNKNOWN', number> = new Map()
  passed = 0
  rejectedTenant = 0
  rejectedUser = 0
  rejectedScope = 0
  /** Who wants to be told of more than can be counted; asked for in the hot path. */
  observer: ExecutorObserver | undefined

  /** A connection opened; the returned function says that it closed, and may be called again. */
  openConnection(): () => void {
    this.connectionsActive += 1
    this.connectionsTotal += 1
    let open = true
    return () => {
      if (!open) return
      open = false
      this.connectionsActive -= 1
    }
  }

  /** A subscription began. */
  startSubscription(tenantId: string, unshared: UnsharedReason | undefined): void {
    this.subscriptionsActive += 1
    this.subscriptionsTotal += 1
    addTo(this.subscriptionsByTenant, tenantId, 1)
    if (unshared !== undefined) addTo(this.unsharedByReason, unshared, 1)
  }

  /** One that began ended. */
  endSubscription(tenantId: string, unshared: UnsharedReason | undefined, reason: EndReason): void {
    this.subscriptionsActive -= 1
    addTo(this.endedByReason, reason, 1)
    addTo(this.subscriptionsByTenant, tenantId, -1)
    if (unshared !== undefined) addTo(this.unsharedByReason, unshared, -1)
  }

  countError(code: SluiceErrorCode | 'UNKNOWN'): void {
    addTo(this.errorsByCode, code, 1)
  }

  countRefusal(code: SluiceErrorCode | 'UNKNOWN'): void {
    addTo(this.refusedByCode, code, 1)
  }

  snapshot(bus: MetricsSnapshot['bus']): MetricsSnapshot {
    return {
      connections: { active: this.connectionsActive, total: this.connectionsTotal },
      subscriptions: {
        active: this.subscriptionsActive,
        total: this.subscriptionsTotal,
        byTenant: toRecord(this.subscriptionsByTenant),
        ended: { byReason: toRecord(this.endedByReason) },
        refused: { byCode: toRecord(this.refusedByCode) },
      },
      groups: { active: this.groupsActive, unshared: { byReason: toRecord(this.unsharedByReason) } },
      events: {
        published: this.published,
        received: this.received,
        delivered: this.delivered,
        filtered: this.filteredByType + this.filteredByMatch + this.filteredByUser + this.filteredByFilter,
        filteredByReason: {
          type: this.filteredByType,
          match: this.filteredByMatch,
          user: this.filteredByUser,
          filter: this.filteredByFilter,
        },
        dropped: this.dropped,
        gaps: this.gaps,
      },
      queued: { events: this.queuedEvents, responses: this.queuedResponses },
      executions: this.executions,
      serializations: this.serializations,
      errors: { byCode: toRecord(this.errorsByCode) },
      security: {
        checks: this.passed + this.rejectedTenant + this.rejectedUser + this.rejectedScope,
        passed: this.passed,
        rejected: { tenant: this.rejectedTenant, user: this.rejectedUser, scope: this.rejectedScope },
      },
      bus,
    }
  }
}

/** Names that are counted down to nothing leave nothing behind. */
function addTo<TName>(counts: Map<TName, number>, name: TName, change: number): void {
  const count = (counts.get(name) ?? 0) + change
  if (count === 0) counts.delete(name)
  else counts.set(name, count)
}

/** Object.fromEntries defines own properties, so that a tenant called `__proto__` is a tenant like any other. */
function toRecord<TName extends string>(counts: ReadonlyMap<TName, number>): Record<TName, number> {
  return Object.fromEntries(counts) as Record<TName, number>
}
