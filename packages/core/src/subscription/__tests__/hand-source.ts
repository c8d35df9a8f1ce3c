import { type Deferred, deferred } from '../../__tests__/service.ts'

/** An async iterator that is worked by hand. `return` is left out, hangs or rejects where a test says so. */
export class HandSource implements AsyncIterator<unknown> {
  /** Calls of `next` and of `return` so far. */
  pullCount = 0
  returnCount = 0
  readonly #waiting: Deferred<IteratorResult<unknown>>[] = []
  readonly #sent: IteratorResult<unknown>[] = []
  return?: () => Promise<IteratorResult<unknown>>

  constructor(release: 'releases' | 'has no return' | (() => Promise<never>) = 'releases') {
    if (release === 'has no return') return
    this.return = () => {
      this.returnCount += 1
      if (typeof release === 'function') return release()
      this.finish()
      return Promise.resolve({ done: true, value: undefined })
    }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<unknown>> {
    this.pullCount += 1
    const result = this.#sent.shift()
    if (result !== undefined) return Promise.resolve(result)
    const waiter = deferred<IteratorResult<unknown>>()
    this.#waiting.push(waiter)
    return waiter.promise
  }

  send(value: unknown): void {
    const result = { done: false, value }
    const waiter = this.#waiting.shift()
    if (waiter === undefined) this.#sent.push(result)
    else waiter.resolve(result)
  }

  fail(error: unknown): void {
    this.#waiting.shift()?.reject(error)
  }

  finish(): void {
    for (const waiter of this.#waiting.splice(0)) waiter.resolve({ done: true, value: undefined })
  }
}
