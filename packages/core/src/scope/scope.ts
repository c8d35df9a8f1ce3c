/**
 * Who a subscription belongs to, as the server decided it. Any further claim of yours (`roles`, `locale`, …)
 * may stand in it, and is part of the partition of fields with `share: 'user'`.
 */
export interface Scope {
  /** The tenant; a string that is not empty. It bounds everything that the subscription can receive. */
  readonly tenantId: string
  /** The user within the tenant. Events published with a `userId` reach only subscriptions with the same. */
  readonly userId?: string | undefined
  readonly roles?: readonly string[] | undefined
  /**
   * When the scope ends: a `Date`, or milliseconds since the Unix epoch. Nothing is delivered after it; the event that
   * would have been ends the subscription with EXPIRED.
   */
  readonly expiresAt?: Date | number | undefined
  readonly [claim: string]: unknown
}

/**
 * A scope in a type of your own: an interface has no index signature, so it is no {@link Scope} for TypeScript, whatever
 * further claims it has.
 */
export type ScopeClaims = Pick<Scope, 'tenantId' | 'userId' | 'roles' | 'expiresAt'>

/**
 * The scope as it was when the subscription began. Whoever changes the object that the scope function gave,
 * changes nothing here.
 */
export interface ResolvedScope {
  /** Frozen through and through, as far as it consists of plain objects and arrays. */
  readonly scope: Scope
  /**
   * The canonical form of the whole scope but `expiresAt`, or `undefined` if a claim has none (a function, an
   * instance of a class): then two scopes cannot be compared, and nothing is shared between them.
   */
  readonly canonical: string | undefined
}
