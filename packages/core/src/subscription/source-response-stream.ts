import { type ExecutionResult, GraphQLError } from 'graphql'
import { BaseResponseStream } from '../delivery/base-response-stream.ts'
import { SluiceError } from '../errors.ts'
import type { EndReason } from '../metrics.ts'

export interface SourceResponseStreamOptions {
  /** What its events are executed against. */
  readonly schema: object
  readonly source: AsyncIterable<unknown>
  /** Executes the operation for one source event. What it rejects with ends the stream. */
  readonly execute: (data: unknown) => Promise<ExecutionResult>
  /** Called for each response that reaches the reader. */
  readonly onDelivered: () => void
  /** Called once, as soon as the stream wants nothing more. */
  readonly leave: (reason: EndReason) => void
  /** What the reader is told of a source that failed. */
  readonly toReader: (error: unknown) => unknown
  /** Hears of what the source throws while it is released, when there is no caller to tell. */
  readonly report: (error: unknown) => void
}

interface Waiter {
  resolve(result: IteratorResult<ExecutionResult, undefined>): void
  reject(error: unknown): void
}

const done: IteratorReturnResult<undefined> = { done: true, value: undefined }

/**
 * MapSourceToResponseEvent for a source that is not a channel: it is pulled when its reader pulls, one event at
 * a time, so that nothing but the source itself has to queue.
 *
 * @see https://spec.graphql.org/draft/#MapSourceToResponseEvent()
 */
export class SourceResponseStream extends BaseResponseStream {
  readonly schema: object
  readonly #options: SourceResponseStreamOptions
  readonly #source: AsyncIterator<unknown>
  readonly #waiters = new Set<Waiter>()
  /** Ends when the pulls before have ended: responses come in the order of their events. */
  #lastPull: Promise<void> = Promise.resolve()
  #left = false
  #failure: SluiceError | undefined

  /** @throws whatever the source's `[Symbol.asyncIterator]()` throws. */
  constructor(options: SourceResponseStreamOptions) {
    super()
    this.#options = options
    this.schema = options.schema
    this.#source = options.source[Symbol.asyncIterator]()
  }

  override next(): Promise<IteratorResult<ExecutionResult, undefined>> {
    if (this.#left) {
      const failure = this.#takeFailure()
      return failure === undefined ? Promise.resolve(done) : Promise.reject(failure.toGraphQLError())
    }
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { resolve, reject }
      this.#waiters.add(waiter)
      this.#lastPull = this.#lastPull.then(() => this.#pull(waiter))
    })
  }

  /** The reader ends it. Resolves when the source has released itself, unless the source is busy with an event. */
  override async return(): Promise<IteratorResult<ExecutionResult, undefined>> {
    const wasBusy = this.#waiters.size > 0
    const released = this.#end('client')
    if (!wasBusy) await released
    return done
  }

  /** The server ends it. */
  end(error?: SluiceError): void {
    if (this.#left) return
    this.#failure = error
    void this.#end(error?.code ?? 'complete')
  }

  async #pull(waiter: Waiter): Promise<void> {
    if (this.#left) return
    try {
      const event = await this.#source.next()
      if (this.#left) return
      if (event.done === true) {
        this.#leave('complete')
        this.#settleWaiters()
        return
      }
      await this.#answer(waiter, event.value)
    } catch (error) {
      // The source stream failed. graphql-js passes that on as it is; a host masks what is not for the client.
      if (!this.#left) this.#fail(waiter, this.#options.toReader(error), 'source')
    }
  }

  async #answer(waiter: Waiter, data: unknown): Promise<void> {
    try {
      const value = await this.#options.execute(data)
      if (!this.#waiters.delete(waiter)) return
      this.#options.onDelivered()
      waiter.resolve({ done: false, value })
    } catch (error) {
      if (this.#left) return
      this.#fail(waiter, error, codeOf(error))
      void this.#releaseSource()
    }
  }

  #fail(waiter: Waiter, error: unknown, reason: EndReason): void {
    this.#waiters.delete(waiter)
    this.#leave(reason)
    waiter.reject(error)
    this.#settleWaiters()
  }

  #end(reason: EndReason): Promise<void> {
    if (this.#left) return Promise.resolve()
    this.#leave(reason)
    this.#settleWaiters()
    return this.#releaseSource()
  }

  async #releaseSource(): Promise<void> {
    try {
      await this.#source.return?.()
    } catch (error) {
      this.#options.report(error)
    }
  }

  #leave(reason: EndReason): void {
    this.#left = true
    this.#options.leave(reason)
  }

  #settleWaiters(): void {
    for (const waiter of this.#waiters) {
      const failure = this.#takeFailure()
      if (failure === undefined) waiter.resolve(done)
      else waiter.reject(failure.toGraphQLError())
    }
    this.#waiters.clear()
  }

  #takeFailure(): SluiceError | undefined {
    const failure = this.#failure
    this.#failure = undefined
    return failure
  }
}

/** What ends the stream has a code if it is ours to say, such as EXPIRED. */
function codeOf(error: unknown): EndReason {
  return (error instanceof GraphQLError ? SluiceError.codeOf(error) : undefined) ?? 'source'
}
