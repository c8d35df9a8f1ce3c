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

/** What kept an event from a group on its channel. */
export type FilterReason = 'type' | 'match' | 'user' | 'filter'

/** Why a subscription ended. Any other failure is told by its code. */
export type EndReason =
  /** Its reader ended it, or was gone. */
  | 'client'
  /** The server ended it with `complete`: it stopped, or replaced its schema, or the source was exhausted. */
  | 'complete'
  /** Its source stream failed. */
  | 'source'
  | SluiceErrorCode

/** What an executor counted since it was created, and what it holds at the moment. A plain, JSON-safe snapshot. */
export interface MetricsSnapshot {
  /** Connections that transports opened, and those of `register`. */
  readonly connections: { readonly active: number; readonly total: number }
  readonly subscriptions: {
    readonly active: number
    readonly total: number
    /** Active subscriptions of each tenant that has any. */
    readonly byTenant: Readonly<Record<string, number>>
    /** Subscriptions that ran and ended. */
    readonly ended: { readonly byReason: Readonly<Partial<Record<EndReason, number>>> }
    /** Subscriptions that asked the executor and were not started. What a host refuses before that is not among them. */
    readonly refused: { readonly byCode: Readonly<Partial<Record<SluiceErrorCode | 'UNKNOWN', number>>> }
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
    /** The same, by what it was that kept the event from them. */
    readonly filteredByReason: Readonly<Record<FilterReason, number>>
    /** Events or responses that an overflow policy dropped, or that could not be decoded. */
    readonly dropped: number
    /** Gaps that the bus or an overflow policy told of. */
    readonly gaps: number
  }
  /** What waits now. */
  readonly queued: {
    /** Events for their group's execution. */
    readonly events: number
    /** Responses for readers who pull. What waits in sockets is not among them. */
    readonly responses: number
  }
  /** Operations executed: one per group and event. */
  readonly executions: number
  /** Results turned into bytes: one per group and event that anybody needed bytes of, and those that a host's hooks changed. */
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
