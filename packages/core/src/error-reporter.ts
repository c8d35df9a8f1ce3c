import { SluiceError } from './errors.ts'
import type { Logger } from './logger.ts'
import { isPromise } from './maybe-promise.ts'
import type { Counters } from './counters.ts'

/** Takes what has no caller to be thrown at. It never throws. */
export type ErrorReporter = (error: unknown) => void

/** Reports to `onError`, or to the logger where there is none; what `onError` itself throws is logged. */
export function createErrorReporter(
  onError: ((error: unknown) => unknown) | undefined,
  logger: Logger,
  counters: Counters,
): ErrorReporter {
  const log = (message: string, error: unknown) => {
    try {
      logger.error(message, error)
    } catch {
      // There is nobody left to tell.
    }
  }
  return (error) => {
    counters.countError(error instanceof SluiceError ? error.code : 'UNKNOWN')
    if (onError === undefined) {
      log('[sluice]', error)
      return
    }
    try {
      const answer = onError(error)
      if (isPromise(answer))
        answer.then(undefined, (failure: unknown) => log('[sluice] onError rejected with', failure))
    } catch (failure) {
      log('[sluice] onError threw', failure)
    }
  }
}
