import { SluiceError } from '../errors.ts'

/**
 * What callers are told of an error of the bus. That the bus forbids something to this server (a user of its own at the
 * backend, who has not the right) is a mistake of whoever set it up: to a client FORBIDDEN would mean that *it* may not.
 */
export function refusedByBus(error: unknown): unknown {
  if (!(error instanceof SluiceError) || error.code !== 'FORBIDDEN') return error
  return new SluiceError('BAD_CONFIG', "[bus] the server's own user may not use this channel there.", { cause: error })
}
