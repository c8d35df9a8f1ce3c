import { SluiceError } from '../errors.ts'
import { isPromise } from '../maybe-promise.ts'
import type { UnsharedReason } from '../metrics.ts'
import type { Untyped } from '../register.ts'
import type { ResolvedScope, Scope } from './scope.ts'

/**
 * How widely a field's subscriptions are executed together. It is always inside one tenant.
 *
 * - `'subscriber'`: not at all; each subscription is executed on its own, with a copy of its own context.
 * - `'user'`: with those whose scope is equal, but for `expiresAt`.
 * - `'tenant'`: with everybody in the tenant. Only for results that do not depend on who asks.
 * - a function: with those in the tenant for whom it gives the same string, such as a role.
 */
export type Share<TArgs = Untyped> = 'subscriber' | 'user' | 'tenant' | ((scope: Scope, args: TArgs) => string)

/** Who shares executions, and which scope their common context is built from. */
export interface Partition {
  /** Unique within the tenant; `undefined` if the subscription is alone. */
  readonly key: string | undefined
  readonly unshared: UnsharedReason | undefined
  /** What `eventContext` gets as `scope`: no more than what all members have in common. */
  readonly scope: Scope & { readonly partition?: string }
}

/** @throws SluiceError BAD_CONFIG if a share function gives no string. */
export function resolvePartition(share: Share, { scope, canonical }: ResolvedScope, args: unknown): Partition {
  const { tenantId } = scope
  switch (share) {
    case 'subscriber':
      return { key: undefined, unshared: 'subscriber', scope }
    case 'user':
      // One member's `expiresAt` is nothing that the others share.
      return canonical === undefined
        ? { key: undefined, unshared: 'scope', scope: withoutExpiry(scope) }
        : { key: `user:${canonical}`, unshared: undefined, scope: withoutExpiry(scope) }
    case 'tenant':
      return { key: 'tenant', unshared: undefined, scope: Object.freeze({ tenantId }) }
    default: {
      const partition: unknown = share(scope, args)
      if (typeof partition !== 'string') {
        if (isPromise(partition)) partition.then(undefined, () => undefined) // a promise is wrong, settled or not
        throw new SluiceError(
          'BAD_CONFIG',
          `[fromChannel] the option "share" gave a ${typeof partition}; give a string.`,
        )
      }
      return { key: `function:${partition}`, unshared: undefined, scope: Object.freeze({ tenantId, partition }) }
    }
  }
}

function withoutExpiry(scope: Scope): Scope {
  const { expiresAt: _, ...claims } = scope
  return Object.freeze(claims)
}
