import type { PublishedEvent } from '../bus/published-event.ts'
import type { MaybePromise } from '../maybe-promise.ts'

/**
 * One event on its way through this instance: what its groups have in common. The context of a partition is
 * built on first need and is the same for all of the partition's groups, for this event only.
 */
export class DispatchedEvent {
  readonly event: PublishedEvent
  #contexts: Map<string, MaybePromise<unknown>> | undefined

  constructor(event: PublishedEvent) {
    this.event = event
  }

  contextOf(partition: string, build: () => MaybePromise<unknown>): MaybePromise<unknown> {
    this.#contexts ??= new Map()
    if (this.#contexts.has(partition)) return this.#contexts.get(partition)
    const context = build()
    this.#contexts.set(partition, context)
    return context
  }
}
