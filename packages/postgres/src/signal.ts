/** Lets one loop sleep until somebody has something for it to do. */
export class Signal {
  #isSet = false
  #wake: (() => void) | undefined

  set(): void {
    this.#isSet = true
    this.#wake?.()
  }

  /** Resolves at once if it was set since the last wait, else when it is set or the time is over. Returns whether it was set. */
  async wait(timeoutMs: number): Promise<boolean> {
    if (!this.#isSet) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      this.#wake = undefined
    }
    const wasSet = this.#isSet
    this.#isSet = false
    return wasSet
  }
}
