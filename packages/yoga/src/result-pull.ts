import { isPromise } from '@sluice/core'
import type { ExecutionResult } from 'graphql'

/** Who is given the results of a stream. */
export interface ResultReader {
  /** Whether it takes a result now. When that changes, it calls {@link ResultPull.pull}. */
  isReady(): boolean
  /** In the hot path. */
  next(result: ExecutionResult): void
  /** The stream came to its end. */
  complete(): void
  /** What the stream threw or rejected with. */
  error(error: unknown): void
}

/**
 * Pulls the results of a stream, one at a time, as long as its reader is ready. By callbacks, so that it adds no promise
 * to those of the stream.
 */
export class ResultPull {
  readonly #iterator: AsyncIterator<ExecutionResult, unknown>
  readonly #reader: ResultReader
  #isPulled = false
  #isLooping = false

  constructor(iterator: AsyncIterator<ExecutionResult, unknown>, reader: ResultReader) {
    this.#iterator = iterator
    this.#reader = reader
  }

  /** Pulls the next result, unless it is pulled already or its reader is not ready. */
  pull(): void {
    // A stream that answers within the call goes on in the loop: nothing is ever called more deeply.
    if (this.#isLooping) return
    this.#isLooping = true
    while (!this.#isPulled && this.#reader.isReady()) this.#step()
    this.#isLooping = false
  }

  #step(): void {
    this.#isPulled = true
    try {
      const pulled: unknown = this.#iterator.next()
      // An iterator that is not quite one gives its results without a promise.
      if (isPromise(pulled)) pulled.then(this.#take, this.#fail)
      else this.#take(pulled)
    } catch (error) {
      this.#fail(error)
    }
  }

  readonly #take = (pulled: unknown): void => {
    const { done, value } = pulled as IteratorResult<ExecutionResult, undefined>
    this.#isPulled = false
    if (done === true) return this.#reader.complete()
    this.#reader.next(value)
    this.pull()
  }

  /** The last call: a stream that failed is not pulled again. */
  readonly #fail = (error: unknown): void => {
    this.#reader.error(error)
  }
}
