import type { PublishedEvent } from '../bus/published-event.ts'
import { SluiceError } from '../errors.ts'
import type { ErrorReporter } from '../error-reporter.ts'
import { isPromise, type MaybePromise } from '../maybe-promise.ts'
import type { EventContextInput } from '../options.ts'
import type { Partition } from '../scope/partition.ts'
import type { DispatchedEvent } from '../routing/dispatched-event.ts'
import { contextFailed } from './event-execution.ts'

/** The option `eventContext`. */
export type BuildEventContext = ((input: EventContextInput) => MaybePromise<unknown>) | undefined

/** The context of a shared partition, built once per event for all of its groups. */
export function sharedContext(
  build: NonNullable<BuildEventContext>,
  { scope, key }: Partition,
  report: ErrorReporter,
): (dispatched: DispatchedEvent) => MaybePromise<unknown> {
  // Channels that all tenants share bring groups of several tenants together.
  const name = `${scope.tenantId.length}:${scope.tenantId}:${key}`
  return (dispatched) =>
    dispatched.contextOf(name, () => guarded(() => build({ scope, event: dispatched.event }), report))
}

/**
 * The context of a subscription that is executed on its own. It is fresh for every event, so that what a
 * resolver puts there, or a DataLoader remembers, does not live as long as the subscription.
 *
 * @param own the subscriber's own context; empty if the field's `share` promises that it is not used.
 */
export function ownContext(
  build: BuildEventContext,
  scope: Partition['scope'],
  own: Pick<EventContextInput, 'initialContext'>,
  report: ErrorReporter,
): (event: PublishedEvent) => MaybePromise<unknown> {
  if (build !== undefined) return (event) => guarded(() => build({ scope, event, ...own }), report)
  const copy = copierFor(own.initialContext)
  return () => guarded(copy, report)
}

function guarded(build: () => MaybePromise<unknown>, report: ErrorReporter): MaybePromise<unknown> {
  const fail = (cause: unknown) => {
    report(new SluiceError('BAD_CONFIG', '[createSubscriptionExecutor] the option "eventContext" failed.', { cause }))
    return contextFailed
  }
  try {
    const context = build()
    return isPromise(context) ? context.then(undefined, fail) : context
  } catch (error) {
    return fail(error)
  }
}

/** Copies own properties and keeps the prototype; getters stay getters, for they may be there to be lazy. */
function copierFor(context: unknown): () => unknown {
  if (typeof context !== 'object' || context === null) return () => context
  const prototype = Object.getPrototypeOf(context) as object | null
  const descriptors = Object.getOwnPropertyDescriptors(context)
  const hasAccessors = Object.values(descriptors).some(({ get, set }) => get !== undefined || set !== undefined)
  if (prototype === Object.prototype && !hasAccessors) return () => ({ ...context })
  // Not by Object.assign, to which an own property called `__proto__` would be the prototype.
  return () => Object.create(prototype, Object.getOwnPropertyDescriptors(context)) as unknown
}
