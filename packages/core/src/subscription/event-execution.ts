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

/** How the events of one group, or of one subscription that is alone, become responses. */
export interface EventOperation<TEvent> {
  /** The context of an event; may give {@link contextFailed}, and neither throws nor rejects. */
  readonly contextFor: (event: TEvent) => MaybePromise<unknown>
  /** Whether an event is for them. Absent: it is. */
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
export function executeEvent<TEvent>(
  event: TEvent,
  data: unknown,
  operation: EventOperation<TEvent>,
  services: ExecutionServices,
): MaybePromise<EncodedResponse | undefined> {
  return new EventRun(event, data, operation, services).start()
}

/** One event on its way to a response. In the hot path as long as everything is synchronous. */
class EventRun<TEvent> {
  readonly #event: TEvent
  readonly #data: unknown
  readonly #operation: EventOperation<TEvent>
  readonly #services: ExecutionServices
  readonly #startedAt: number
  /** Whether those who would get the response may know that there is an event. */
  #mayTell: boolean
  /** The time is up: what settles now starts nothing more. */
  #isOver = false

  constructor(event: TEvent, data: unknown, operation: EventOperation<TEvent>, services: ExecutionServices) {
    this.#event = event
    this.#data = data
    this.#operation = operation
    this.#services = services
    this.#startedAt = services.counters.observer === undefined ? 0 : performance.now()
    this.#mayTell = operation.filter === undefined
  }

  start(): MaybePromise<EncodedResponse | undefined> {
    let outcome: MaybePromise<Outcome>
    try {
      const context = this.#operation.contextFor(this.#event)
      outcome = isPromise(context)
        ? context.then((late) => this.#filterAndExecute(late))
        : this.#filterAndExecute(context)
    } catch (error) {
      outcome = this.#fail(error)
    }
    if (!isPromise(outcome)) return this.#respond(outcome)
    return withTimeLimit(outcome, this.#services.executionTimeoutMs, () => this.#timeOut())
      .then(undefined, (error) => this.#fail(error))
      .then((late) => this.#respond(late))
  }

  #filterAndExecute(context: unknown): MaybePromise<Outcome> {
    if (context === contextFailed) return this.#mayTell ? internalErrorResult() : this.#withhold()
    const { filter } = this.#operation
    if (filter === undefined || this.#isOver) return this.#execute(context)
    return andThen(filter(this.#data, context), (passes) => (passes ? this.#execute(context) : this.#withhold()))
  }

  #execute(context: unknown): MaybePromise<Outcome> {
    if (this.#isOver) return withheld
    this.#mayTell = true
    this.#services.counters.executions += 1
    return this.#operation.execute(this.#data, context)
  }

  #withhold(): typeof withheld {
    if (!this.#isOver) this.#services.counters.filteredByFilter += 1
    return withheld
  }

  #fail(error: unknown): Outcome {
    this.#services.report(error)
    return this.#mayTell ? internalErrorResult() : this.#withhold()
  }

  #timeOut(): Outcome {
    const { executionTimeoutMs, report } = this.#services
    const error = new SluiceError('EXECUTION_TIMEOUT', `An event took longer than ${executionTimeoutMs} ms to execute.`)
    report(error)
    const told = this.#mayTell ? { errors: [error.toGraphQLError()], data: null } : this.#withhold()
    this.#isOver = true
    return told
  }

  #respond(outcome: Outcome): EncodedResponse | undefined {
    if (outcome === withheld) return undefined
    this.#services.counters.observer?.executed?.(performance.now() - this.#startedAt)
    if (isExecutionResult(outcome)) return new EncodedResponse(outcome, this.#services)
    this.#services.report(
      new SluiceError('BAD_CONFIG', '[createSubscriptionExecutor] the option "execute" gave no execution result.'),
    )
    return new EncodedResponse(internalErrorResult(), this.#services)
  }
}

function isExecutionResult(value: unknown): value is ExecutionResult {
  return typeof value === 'object' && value !== null && ('data' in value || 'errors' in value)
}
