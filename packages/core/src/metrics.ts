import type { SluiceErrorCode } from './errors.ts'
import type { BusStatus } from './bus/event-bus.ts'

/** Why a subscription is executed on its own. */
export type UnsharedReason =
  /** The field says so; it is the default. */
  | 'subscriber'
  /** Its source is not a channel but another async iterable. */
  | 'source'
  /** Its scope has no canonical form. */
  | 'scope'
  /** Its variables have no canonical form. */
  | 'variables'

/** What an executor counted since it was created, and what it holds at the moment. A plain, JSON-safe snapshot. */
export interface MetricsSnapshot {
  /** Connections that transports opened, and those of `register`. */
  readonly connections: { readonly active: number; readonly total: number }
  readonly subscriptions: {
    readonly active: number
    readonly total: number
    /** Active subscriptions of each tenant that has any. */
    readonly byTenant: Readonly<Record<string, number>>
  }
  readonly groups: {
    /** Groups that exist now. Each executes an event once, however many subscriptions it has. */
    readonly active: number
    /** Active subscriptions that are executed on their own, and why. */
    readonly unshared: { readonly byReason: Readonly<Partial<Record<UnsharedReason, number>>> }
  }
  readonly events: {
    /** Accepted by the bus, from this executor. */
    readonly published: number
    /** That the bus told this executor of, from anywhere; once per event, whoever waits for it. */
    readonly received: number
    /** Responses handed to a subscription's queue or transport: one per subscription and event. */
    readonly delivered: number
    /** Groups on an event's channel that did not get it because of type, match, user or filter. */
    readonly filtered: number
    /** Events or responses that an overflow policy dropped, or that could not be decoded. */
    readonly dropped: number
    /** Gaps that the bus or an overflow policy told of. */
    readonly gaps: number
  }
  /** Operations executed: one per group and event. */
  readonly executions: number
  /** Results turned into bytes: one per group and event that anybody needed bytes of. */
  readonly serializations: number
  readonly errors: { readonly byCode: Readonly<Partial<Record<SluiceErrorCode | 'UNKNOWN', number>>> }
  readonly security: {
    /** Decisions about who may receive or publish: scopes resolved, groups asked for an event, scoped publishes. */
    readonly checks: number
    readonly passed: number
    readonly rejected: {
      /** Events and publishes of another tenant than the scope's. */
      readonly tenant: number
      /** Groups that an event for one user did not concern. */
      readonly user: number
      /** Subscriptions refused because the scope names nobody. */
      readonly scope: number
    }
  }
  readonly bus: { readonly name: string; readonly status: BusStatus }
}

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
  readonly unsharedByReason: Map<UnsharedReason, number> = new Map()
  groupsActive = 0
  published = 0
  received = 0
  delivered = 0
  filtered = 0
  dropped = 0
  gaps = 0
  executions = 0
  serializations = 0
  readonly errorsByCode: Map<SluiceErrorCode | 'UNKNOWN', number> = new Map()
  checks = 0
  passed = 0
  rejectedTenant = 0
  rejectedUser = 0
  rejectedScope = 0

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

  /** A subscription began; the returned function says that it ended, and may be called again. */
  startSubscription(tenantId: string, unshared: UnsharedReason | undefined): () => void {
    this.subscriptionsActive += 1
    this.subscriptionsTotal += 1
    addTo(this.subscriptionsByTenant, tenantId, 1)
    if (unshared !== undefined) addTo(this.unsharedByReason, unshared, 1)
    let running = true
    return () => {
      if (!running) return
      running = false
      this.subscriptionsActive -= 1
      addTo(this.subscriptionsByTenant, tenantId, -1)
      if (unshared !== undefined) addTo(this.unsharedByReason, unshared, -1)
    }
  }

  countError(code: SluiceErrorCode | 'UNKNOWN'): void {
    addTo(this.errorsByCode, code, 1)
  }

  snapshot(bus: MetricsSnapshot['bus']): MetricsSnapshot {
    return {
      connections: { active: this.connectionsActive, total: this.connectionsTotal },
      subscriptions: {
        active: this.subscriptionsActive,
        total: this.subscriptionsTotal,
        byTenant: toRecord(this.subscriptionsByTenant),
      },
      groups: { active: this.groupsActive, unshared: { byReason: toRecord(this.unsharedByReason) } },
      events: {
        published: this.published,
        received: this.received,
        delivered: this.delivered,
        filtered: this.filtered,
        dropped: this.dropped,
        gaps: this.gaps,
      },
      executions: this.executions,
      serializations: this.serializations,
      errors: { byCode: toRecord(this.errorsByCode) },
      security: {
        checks: this.checks,
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
