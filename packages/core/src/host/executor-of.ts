import { SluiceError } from '../errors.ts'
import { createSubscriptionExecutor, type SubscriptionExecutor } from '../executor.ts'
import type { SubscriptionExecutorOptions } from '../options.ts'
import type { RegisteredContext } from '../register.ts'

/** The executor's options, or an executor that several hosts share. */
export type HostExecutorOptions<TContext = RegisteredContext> =
  | SubscriptionExecutorOptions<TContext>
  | { readonly executor: SubscriptionExecutor }

/**
 * The executor that a host's options name, and whether the host has to dispose of it.
 *
 * @param who the host's function, for messages
 * @throws SluiceError BAD_CONFIG, naming the option
 */
export function executorOf<TContext>(
  who: string,
  options: HostExecutorOptions<TContext>,
): { readonly executor: SubscriptionExecutor; readonly owned: boolean } {
  if (typeof options !== 'object' || options === null)
    throw new SluiceError('BAD_CONFIG', `[${who}] the options have to be an object.`)
  if ('executor' in options) {
    const { executor, ...others } = options
    const [other] = Object.keys(others)
    if (other !== undefined) {
      throw new SluiceError(
        'BAD_CONFIG',
        `[${who}] the option "${other}" belongs to the executor; give it to createSubscriptionExecutor.`,
      )
    }
    if (typeof executor?.subscribe !== 'function')
      throw new SluiceError('BAD_CONFIG', `[${who}] the option "executor" has to be an executor.`)
    return { executor, owned: false }
  }
  if (options.scope === undefined) {
    throw new SluiceError(
      'BAD_CONFIG',
      `[${who}] the option "scope" is missing: it says who a subscriber is, and nobody can subscribe without it.`,
    )
  }
  return { executor: createSubscriptionExecutor(options), owned: true }
}
