/** Something that the server can end with `complete`. */
export interface Endable {
  end(): void
}

/**
 * The running subscriptions of one host, of several that share an executor: what it has to end when it stops.
 * Subscriptions enter when they begin and leave when they end, by themselves.
 */
export class SubscriptionSet<TSubscription extends Endable = Endable> {
  readonly #running = new Set<TSubscription>()

  get size(): number {
    return this.#running.size
  }

  add(subscription: TSubscription): void {
    this.#running.add(subscription)
  }

  delete(subscription: TSubscription): void {
    this.#running.delete(subscription)
  }

  /** Ends them with `complete`, after what waits for their readers. @param which @default all of them */
  endAll(which: (subscription: TSubscription) => boolean = () => true): void {
    for (const subscription of [...this.#running]) if (which(subscription)) subscription.end()
  }
}
