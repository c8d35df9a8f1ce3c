import type { MemberStream } from '../delivery/member-stream.ts'
import type { EndReason, UnsharedReason } from '../metrics.ts'
import type { RouteLease } from '../routing/router.ts'
import type { Group, GroupOptions } from './group.ts'
import type { SubscriptionServices } from './subscription-services.ts'
import type { SubscriptionSet } from './subscription-set.ts'

export interface MembershipOptions {
  /** The right to its channels. */
  readonly lease: RouteLease
  readonly tenantId: string
  readonly unshared: UnsharedReason | undefined
  /** Where its host finds the subscription while it runs. */
  readonly running: SubscriptionSet | undefined
}

/**
 * What a subscription holds from the moment in which it becomes a member of a group until it leaves. It is made once
 * per subscription and lives as long: it keeps nothing of the request.
 */
export class Membership {
  readonly #options: MembershipOptions
  readonly #services: SubscriptionServices
  #place: { readonly group: Group; readonly member: MemberStream } | undefined

  constructor(options: MembershipOptions, services: SubscriptionServices) {
    this.#options = options
    this.#services = services
  }

  /** @throws what `found` throws; then it holds nothing */
  begin(member: MemberStream, key: string | undefined, found: () => GroupOptions): void {
    const { lease, running, tenantId, unshared } = this.#options
    const { counters, groups } = this.#services
    try {
      this.#place = { group: groups.join(key, member, lease.routes, found), member }
    } catch (error) {
      lease.release()
      throw error
    }
    counters.startSubscription(tenantId, unshared)
    running?.add(member)
  }

  /** Releases everything. Idempotent. */
  end(reason: EndReason): void {
    if (this.#place === undefined) return
    const { group, member } = this.#place
    this.#place = undefined
    const { lease, running, tenantId, unshared } = this.#options
    const { counters, groups } = this.#services
    running?.delete(member)
    groups.leave(group, member)
    lease.release()
    counters.endSubscription(tenantId, unshared, reason)
  }
}
