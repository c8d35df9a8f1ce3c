import { unavailable } from './bus-errors.ts'

/** Whether the schema was there once, for those who have to wait for it. */
export class Readiness {
  #isReached = false
  #lastError: unknown
  readonly #reached: Promise<void>
  #resolve: () => void = () => {}
  #reject: (error: unknown) => void = () => {}

  constructor() {
    this.#reached = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.#reached.catch(() => {})
  }

  reached(): void {
    this.#isReached = true
    this.#resolve()
  }

  hindered(error: unknown): void {
    this.#lastError = error
  }

  closed(error: unknown): void {
    this.#reject(error)
  }

  /** @throws SluiceError BUS_UNAVAILABLE when the time is over; what {@link Readiness.closed} was given */
  async wait(timeoutMs: number): Promise<void> {
    if (this.#isReached) return
    let timer: NodeJS.Timeout | undefined
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(unavailable(`the server was not reached within ${timeoutMs} ms`, this.#lastError)),
        timeoutMs,
      )
    })
    try {
      await Promise.race([this.#reached, timeout])
    } finally {
      clearTimeout(timer)
    }
  }
}
