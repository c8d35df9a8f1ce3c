import { SluiceError } from '../errors.ts'

/** What refuses a subscription while the executor ends the others. */
export function draining(): SluiceError {
  return new SluiceError('DRAINING', 'The server is shutting down. Subscribe again.')
}
