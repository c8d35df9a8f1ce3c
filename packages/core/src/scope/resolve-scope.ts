import { canonicalForm, isPlainObject } from '../canonical.ts'
import { checkName } from '../bus/check-name.ts'
import { SluiceError } from '../errors.ts'
import type { ResolvedScope, Scope } from './scope.ts'

/**
 * Checks what a scope function gave and takes a frozen copy of it.
 *
 * @throws SluiceError UNAUTHENTICATED for `null`, `undefined`, and whatever lacks a proper `tenantId`. It
 * fails closed: there is no default tenant.
 */
export function resolveScope(given: unknown): ResolvedScope {
  if (given === null || given === undefined) {
    throw new SluiceError('UNAUTHENTICATED', 'Subscriptions need an authenticated user of a tenant.')
  }
  if (typeof given !== 'object' || Array.isArray(given)) refuse(`it is no object but a ${typeof given}.`)
  const scope = freezeCopy(given, 0) as Scope
  const { tenantId, userId } = scope
  checkId(tenantId, 'tenantId')
  if (userId !== undefined && userId !== null) checkId(userId, 'userId')
  const { expiresAt, ...claims } = scope
  if (expiresAt !== undefined && expiresAt !== null && !(Number(expiresAt) > Date.now())) {
    throw new SluiceError('EXPIRED', 'The scope of the subscription has expired. Authenticate again.')
  }
  return { scope, canonical: canonicalForm(claims) }
}

function refuse(why: string): never {
  // The reason is for the operator (`cause`); the client learns only that it is nobody.
  throw new SluiceError('UNAUTHENTICATED', 'Subscriptions need an authenticated user of a tenant.', {
    cause: new SluiceError('BAD_CONFIG', `[scope] the scope function gave a scope that cannot be used: ${why}`),
  })
}

/** A name that a bus can carry, or two tenants might become one there. */
function checkId(id: unknown, claim: string): void {
  try {
    checkName(id, 'BAD_CONFIG', `its ${claim}`)
  } catch (error) {
    refuse((error as Error).message)
  }
}

/** Plain data is copied and frozen; an instance of a class stays what it is. */
function freezeCopy(value: unknown, depth: number): unknown {
  if (depth > 64 || typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return Object.freeze(value.map((item) => freezeCopy(item, depth + 1)))
  if (depth > 0 && !isPlainObject(value)) return value
  const copy: Record<string, unknown> = {}
  for (const key of Object.keys(value)) {
    // defineProperty, for a claim called __proto__ has to stay a claim.
    Object.defineProperty(copy, key, {
      value: freezeCopy((value as Record<string, unknown>)[key], depth + 1),
      enumerable: true,
    })
  }
  return Object.freeze(copy)
}
