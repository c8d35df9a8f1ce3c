import { SluiceError } from '@sluice/core'

/** What became of a statement that failed. */
export type Outcome =
  /** It was not sent. */
  | 'not-sent'
  /** The server refused it: it changed nothing. */
  | 'refused'
  /** The connection broke, or the time was over, while it was under way. */
  | 'unknown'

/** A statement that failed, and what became of it. */
export class StatementError extends Error {
  override readonly name = 'StatementError'
  readonly outcome: Outcome

  constructor(outcome: Outcome, cause: unknown) {
    super(describeCause(cause), { cause })
    this.outcome = outcome
  }
}

/** The SQLSTATE of an error of the server's; `undefined` of any other. */
export function sqlStateOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  const { code } = error
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && 'severity' in error ? code : undefined
}

/**
 * What became of a statement that was sent. A session that is ended (57P01 and its like) may have committed before;
 * with any other error of its own the server says that it did not.
 */
export function outcomeOf(error: unknown): Outcome {
  const state = sqlStateOf(error)
  return state === undefined || state.startsWith('57P') || state.startsWith('08') ? 'unknown' : 'refused'
}

/** In words, for the end of a message. `pg` gives errors without a message where several addresses failed. */
export function describeCause(cause: unknown): string {
  if (!(cause instanceof Error)) return 'unknown failure'
  if (cause.message !== '') return cause.message
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name
}

export function unavailable(what: string, cause?: unknown): SluiceError {
  const because = cause === undefined ? '' : `: ${describeCause(cause)}`
  return new SluiceError('BUS_UNAVAILABLE', `[postgresBus] ${what}${because}`, { cause })
}

export function outcomeUnknown(what: string, cause?: unknown): SluiceError {
  const because = cause === undefined ? '' : `: ${describeCause(cause)}`
  return new SluiceError(
    'BUS_OUTCOME_UNKNOWN',
    `[postgresBus] ${what}; publish it again with the same eventId${because}`,
    {
      cause,
    },
  )
}

export function busClosed(): SluiceError {
  return new SluiceError('BUS_CLOSED', '[postgresBus] was closed; make another one')
}
