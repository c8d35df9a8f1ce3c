/** Something that the server can end with `complete`. */
export interface Endable {
  end(): void
}

/**
 * The running subscriptions of one host, of several that share an executor: what it has to end when it stops.
 * Subscriptions enter when they begin and leave when they end, by themselves.
 */
export class SubscriptionSet {
  readonly #running = new Set<Endable>()

  get size(): number {
    return this.#running.size
  }

  add(subscription: Endable): void {
    this.#running.add(subscription)
  }

  delete(subscription: Endable): void {
    this.#running.delete(subscription)
  }

  /** Ends them all with `complete`, after what waits for their readers. */
  endAll(): void {
    for (const subscription of [...this.#running]) subscription.end()
  }
}
