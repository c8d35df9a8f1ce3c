import { SluiceError } from '../errors.ts'

/** The error that ends a subscription under the policy 'disconnect'. */
export function slowConsumer(why: string): SluiceError {
  return new SluiceError(
    'SLOW_CONSUMER',
    `The subscription was ended because ${why}. Subscribe again; events in between are missing.`,
  )
}
