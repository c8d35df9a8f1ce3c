import { SluiceError } from '../errors.ts'
import { isPromise } from '../maybe-promise.ts'
import { withTimeLimit } from '../time-limit.ts'
import { resolveScope } from './resolve-scope.ts'
import type { ResolvedScope } from './scope.ts'

/**
 * Who is it? Whatever goes wrong in finding out, the answer is nobody.
 *
 * @throws SluiceError UNAUTHENTICATED, also if the answer takes longer than the limit; EXPIRED.
 */
export async function askScope(ask: () => unknown, timeoutMs: number): Promise<ResolvedScope> {
  let given: unknown
  try {
    const answer = ask()
    given = isPromise(answer) ? await withTimeLimit(answer, timeoutMs, () => tooLate(timeoutMs)) : answer
  } catch (cause) {
    throw new SluiceError('UNAUTHENTICATED', 'Subscriptions need an authenticated user of a tenant.', { cause })
  }
  return resolveScope(given)
}

function tooLate(timeoutMs: number): never {
  throw new Error(`The scope function gave no answer within ${timeoutMs} ms.`)
}
