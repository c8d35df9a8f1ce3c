import type { ExecutionResult } from 'graphql'
import { EncodedResponse, type ResponseServices } from '../delivery/encoded-response.ts'
import { internalErrorResult } from '../delivery/internal-error.ts'
import { SluiceError } from '../errors.ts'
import type { EventExecution } from '../graphql-version.ts'
import { andThen, isPromise, type MaybePromise } from '../maybe-promise.ts'
import { withTimeLimit } from '../time-limit.ts'

/** In place of a context that could not be built. The failure has been reported. */
export const contextFailed: unique symbol = Symbol('context failed')

/** In place of a result: the event is not for them, or nobody may know that there is one. */
const withheld: unique symbol = Symbol('withheld')

type Outcome = ExecutionResult | typeof withheld

/** How one event becomes a response, or nothing, for those who are executed together. */
export interface EventOperation {
  /** The context of this event; may give {@link contextFailed}, and neither throws nor rejects. */
  readonly contextFor: () => MaybePromise<unknown>
  /** Whether the event is for them. Absent: it is. */
  readonly filter: ((data: unknown, context: unknown) => MaybePromise<boolean>) | undefined
  readonly execute: EventExecution
}

/** What executions use. */
export interface ExecutionServices extends ResponseServices {
  readonly executionTimeoutMs: number
}

/**
 * ExecuteSubscriptionEvent with a context and a filter before it, under a time limit.
 *
 * Whatever goes wrong ends in a response that says so, or in none: as long as a filter has not let the event
 * pass, an error would tell that there is a hidden event. It never throws and never rejects.
 */
export function executeEvent(
  data: unknown,
  operation: EventOperation,
  services: ExecutionServices,
): MaybePromise<EncodedResponse | undefined> {
  const { counters, report, executionTimeoutMs } = services
  const { filter } = operation
  let mayTell = filter === undefined
  /** The time is up: what settles now starts nothing more. */
  let isOver = false
  const startedAt = counters.observer === undefined ? 0 : performance.now()

  const withhold = (): typeof withheld => {
    if (!isOver) counters.filteredByFilter += 1
    return withheld
  }
  const fail = (error: unknown): Outcome => {
    report(error)
    return mayTell ? internalErrorResult() : withhold()
  }
  const run = (context: unknown): MaybePromise<Outcome> => {
    if (isOver) return withheld
    mayTell = true
    counters.executions += 1
    return operation.execute(data, context)
  }
  const filterAndRun = (context: unknown): MaybePromise<Outcome> => {
    if (context === contextFailed) return mayTell ? internalErrorResult() : withhold()
    if (filter === undefined || isOver) return run(context)
    return andThen(filter(data, context), (passes) => (passes ? run(context) : withhold()))
  }
  const respond = (outcome: Outcome) => {
    if (outcome === withheld) return undefined
    counters.observer?.executed?.(performance.now() - startedAt)
    if (isExecutionResult(outcome)) return new EncodedResponse(outcome, services)
    report(new SluiceError('BAD_CONFIG', '[createSubscriptionExecutor] the option "execute" gave no execution result.'))
    return new EncodedResponse(internalErrorResult(), services)
  }

  let outcome: MaybePromise<Outcome>
  try {
    outcome = andThen(operation.contextFor(), filterAndRun)
  } catch (error) {
    outcome = fail(error)
  }
  if (!isPromise(outcome)) return respond(outcome)

  const timeOut = (): Outcome => {
    const error = new SluiceError('EXECUTION_TIMEOUT', `An event took longer than ${executionTimeoutMs} ms to execute.`)
    report(error)
    const told = mayTell ? { errors: [error.toGraphQLError()], data: null } : withhold()
    isOver = true
    return told
  }
  return withTimeLimit(outcome, executionTimeoutMs, timeOut).then(undefined, fail).then(respond)
}

function isExecutionResult(value: unknown): value is ExecutionResult {
  return typeof value === 'object' && value !== null && ('data' in value || 'errors' in value)
}
