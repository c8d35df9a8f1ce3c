import { SluiceError } from '../errors.ts'
import type { Scope } from './scope.ts'

/** When the scope ends, in milliseconds since the Unix epoch; `undefined` if it does not. */
export function expiryOf({ expiresAt }: Scope): number | undefined {
  return expiresAt === undefined || expiresAt === null ? undefined : Number(expiresAt)
}

/** Whether a moment has come. What is no moment (NaN) has: it fails closed. */
export function hasCome(moment: number | undefined): boolean {
  return moment !== undefined && !(moment > Date.now())
}

/** The error that refuses, or ends, a subscription whose scope is over. */
export function expired(): SluiceError {
  return new SluiceError('EXPIRED', 'The scope of the subscription has expired. Authenticate again.')
}

/** Tells, whenever it is asked, why whoever has the scope may have no more; `undefined` if the scope never ends. */
export function lapseOf(scope: Scope): (() => SluiceError | undefined) | undefined {
  const expiry = expiryOf(scope)
  return expiry === undefined ? undefined : () => (hasCome(expiry) ? expired() : undefined)
}
