import { canonicalForm, copyPlain } from '../canonical.ts'
import { checkName } from '../bus/check-name.ts'
import { SluiceError } from '../errors.ts'
import { expired, expiryOf, hasCome } from './expiry.ts'
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
  const scope = frozenCopy(given)
  const { tenantId, userId } = scope
  checkId(tenantId, 'tenantId')
  if (userId !== undefined && userId !== null) checkId(userId, 'userId')
  if (hasCome(expiryOf(scope))) throw expired()
  const { expiresAt: _, ...claims } = scope
  return { scope, canonical: canonicalForm(claims) }
}

function frozenCopy(given: object): Scope {
  try {
    // The outermost object may be an instance of a class, such as a user: its own properties are the scope.
    return copyPlain({ ...given }, true) as Scope
  } catch (cause) {
    return refuse('it could not be read.', cause)
  }
}

function refuse(why: string, cause?: unknown): never {
  // The reason is for the operator (`cause`); the client learns only that it is nobody.
  throw new SluiceError('UNAUTHENTICATED', 'Subscriptions need an authenticated user of a tenant.', {
    cause: new SluiceError('BAD_CONFIG', `[scope] the scope function gave a scope that cannot be used: ${why}`, {
      cause,
    }),
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
