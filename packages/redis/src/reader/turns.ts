/** Lets so many work at a time, in the order of asking. */
export class Turns {
  readonly #maxCount: number
  readonly #waiting = new Set<() => void>()
  #takenCount = 0

  constructor(maxCount: number) {
    this.#maxCount = maxCount
  }

  /** Whether nobody has a turn. */
  get isIdle(): boolean {
    return this.#takenCount === 0
  }

  /** Resolves when it is the caller's turn, which it then has to give back. @throws the signal's reason */
  async take(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted()
    if (this.#takenCount < this.#maxCount) {
      this.#takenCount += 1
      return
    }
    await new Promise<void>((resolve, reject) => {
      const begin = (): void => {
        this.#waiting.delete(begin)
        signal?.removeEventListener('abort', abort)
        this.#takenCount += 1
        resolve()
      }
      const abort = (): void => {
        this.#waiting.delete(begin)
        reject(signal?.reason as Error)
      }
      this.#waiting.add(begin)
      signal?.addEventListener('abort', abort, { once: true })
    })
  }

  giveBack(): void {
    this.#takenCount -= 1
    const [next] = this.#waiting
    next?.()
  }
}
