/**
 * Counts subscriptions as they reach a server's `subscribe` resolver, since graphql-transport-ws does not tell clients
 * when they are subscribed.
 */
export class StartCounter {
  #total = 0
  #awaited: { readonly total: number; readonly resolve: () => void } | undefined

  get total(): number {
    return this.#total
  }

  count(): void {
    this.#total += 1
    if (this.#awaited === undefined || this.#total < this.#awaited.total) return
    this.#awaited.resolve()
    this.#awaited = undefined
  }

  /** Resolves when so many have been counted since the process began, and what they had begun has been finished. */
  async reached(total: number): Promise<void> {
    if (this.#total < total) {
      await new Promise<void>((resolve) => {
        this.#awaited = { total, resolve }
      })
    }
    for (let turn = 0; turn < 2; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  }
}
