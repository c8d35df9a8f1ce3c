import type { ResultMasker } from '../delivery/encoded-response.ts'
import type { ResolvedOptions } from '../options.ts'
import type { Router } from '../routing/router.ts'
import type { ResolvedScope } from '../scope/scope.ts'
import type { ExecutionServices } from './event-execution.ts'
import type { Groups } from './groups.ts'
import type { Scheduler } from './scheduler.ts'
import type { SourceResponseStream } from './source-response-stream.ts'
import type { SubscriptionSet } from './subscription-set.ts'

/** What a host adds to the arguments of a subscription. */
export interface SubscribeOptions {
  /**
   * The host's error masking. It is applied once per group and event, to results with errors, before anything
   * is delivered; pass the same function for all subscriptions of the host.
   */
  readonly maskResult?: ResultMasker | undefined
  /**
   * The scope, where the caller has decided it itself. Never anything that a client sent.
   * @default the executor's option `scope`, asked with the context
   */
  readonly scope?: unknown
  /** The subscription is in this set while it runs, so that a host can end its own and no others. */
  readonly running?: SubscriptionSet | undefined
}

/** Who subscribes, and since when. */
export interface Subscribing extends ResolvedScope {
  /** `performance.now()` when the executor was asked. */
  readonly startedAt: number
}

/** What subscriptions are made of. */
export interface SubscriptionServices extends ExecutionServices {
  readonly options: ResolvedOptions
  readonly router: Router
  readonly groups: Groups
  readonly scheduler: Scheduler
  /** The subscriptions that are in no group. */
  readonly sources: SubscriptionSet<SourceResponseStream>
  readonly isDraining: () => boolean
}
