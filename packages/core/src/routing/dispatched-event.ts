import type { PublishedEvent } from '../bus/published-event.ts'
import type { MaybePromise } from '../maybe-promise.ts'

/**
 * One event on its way through this instance: what its groups have in common. The context of a partition is
 * built on first need and is the same for all of the partition's groups, for this event only.
 */
export class DispatchedEvent {
  readonly event: PublishedEvent
  /** The first partition that asked: of most events the only one, for which no map is made. */
  #partition: string | undefined
  #context: MaybePromise<unknown>
  #moreContexts: Map<string, MaybePromise<unknown>> | undefined

  constructor(event: PublishedEvent) {
    this.event = event
  }

  contextOf(partition: string, build: () => MaybePromise<unknown>): MaybePromise<unknown> {
    if (this.#partition === partition) return this.#context
    if (this.#moreContexts?.has(partition)) return this.#moreContexts.get(partition)
    const context = build()
    if (this.#partition === undefined) {
      this.#partition = partition
      this.#context = context
    } else {
      this.#moreContexts ??= new Map()
      this.#moreContexts.set(partition, context)
    }
    return context
  }
}
