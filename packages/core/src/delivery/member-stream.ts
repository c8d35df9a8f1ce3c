import type { ExecutionResult } from 'graphql'
import { BaseResponseStream } from './base-response-stream.ts'
import type { SluiceError } from '../errors.ts'
import { FifoQueue } from '../collections/fifo-queue.ts'
import type { EndReason } from '../metrics.ts'
import { EncodedResponse, type ResponseServices, type ResultMasker } from './encoded-response.ts'
import type { OverflowOptions } from './overflow.ts'
import { ResponseQueue } from './response-queue.ts'
import type { PushStream, ResponseSink } from './response-stream.ts'
import { slowConsumer } from './slow-consumer.ts'

export interface MemberStreamOptions {
  readonly userId: string | undefined
  /** When it was subscribed: `performance.now()`. */
  readonly subscribedAt: number
  /** Asked before every response: why the reader may have no more. Absent: it may for ever. */
  readonly lapse: (() => SluiceError | undefined) | undefined
  readonly overflow: OverflowOptions
  /** Whether others get the same responses: then a reader who pulls gets results of its own. */
  readonly shared: boolean
  /** Applied to responses with errors; once per response, however many members have the same masker. */
  readonly maskResult: ResultMasker | undefined
  /** What is held for it. It is ended once, as soon as the stream wants nothing more. */
  readonly membership: { end(reason: EndReason): void }
  readonly services: ResponseServices
}

interface Waiter {
  resolve(result: IteratorResult<ExecutionResult, undefined>): void
  reject(error: unknown): void
}

const done: IteratorReturnResult<undefined> = { done: true, value: undefined }

/**
 * The response stream of one member of a group. Its reader pulls, with a bounded queue in between, or has the
 * responses pushed into a sink.
 */
export class MemberStream extends BaseResponseStream implements PushStream {
  readonly userId: string | undefined
  readonly subscribedAt: number
  joinedAt = 0
  readonly #options: MemberStreamOptions
  // Of the options, what every delivery needs: one look less at memory that nobody has touched since the last event.
  readonly #lapse: MemberStreamOptions['lapse']
  readonly #maskResult: MemberStreamOptions['maskResult']
  readonly #queue: ResponseQueue
  readonly #waiters = new FifoQueue<Waiter>()
  #sink: ResponseSink | undefined
  #gap: string | undefined
  #isPaused = false
  #left = false
  /** By its reader, who then hears nothing more. */
  #returned = false
  /** What the reader is told after the last response: nothing but that it is done, unless there is an error. */
  #failure: SluiceError | undefined

  constructor(options: MemberStreamOptions) {
    super()
    this.#options = options
    this.#lapse = options.lapse
    this.#maskResult = options.maskResult
    this.userId = options.userId
    this.subscribedAt = options.subscribedAt
    this.#queue = new ResponseQueue(options.overflow, options.services.counters)
  }

  /** Takes a response of the group. In the hot path. */
  deliver(response: EncodedResponse): void {
    if (this.#left) return
    const lapsed = this.#lapse?.()
    if (lapsed !== undefined) return this.end(lapsed)
    let mine = this.#maskResult === undefined ? response : response.masked(this.#maskResult)
    if (this.#gap !== undefined) {
      mine = mine.withGap(this.#gap)
      this.#gap = undefined
    }
    if (this.#sink !== undefined) this.#sink.next(this.#queue.pass(mine))
    else if (this.#waiters.size > 0) (this.#waiters.shift() as Waiter).resolve(this.#yielded(this.#queue.pass(mine)))
    else this.#enqueue(mine)
  }

  signalGap(reason: string): void {
    this.#gap = reason
  }

  /** The server ends it. What waits in the queue is still read, then comes the error, if there is one. */
  end(error?: SluiceError): void {
    if (this.#left) return
    this.#failure = error
    this.#leave(error?.code ?? 'complete')
    if (this.#sink !== undefined) this.#finish(this.#sink)
    else this.#settleWaiters()
  }

  override next(): Promise<IteratorResult<ExecutionResult, undefined>> {
    const response = this.#queue.take()
    if (response !== undefined) return Promise.resolve(this.#yielded(response))
    if (this.#left || this.#sink !== undefined) {
      const failure = this.#takeFailure()
      return failure === undefined ? Promise.resolve(done) : Promise.reject(failure.toGraphQLError())
    }
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }))
  }

  /** The reader ends it. */
  override return(): Promise<IteratorResult<ExecutionResult, undefined>> {
    this.abandon('client')
    return Promise.resolve(done)
  }

  abandon(reason: EndReason): void {
    this.#returned = true
    this.#failure = undefined
    this.#queue.clear()
    this.#leave(reason)
    this.#settleWaiters()
  }

  pushTo(sink: ResponseSink): void {
    this.#isPaused = false
    for (let waiting = this.#queue.take(); waiting !== undefined; waiting = this.#queue.take()) {
      sink.next(waiting)
      if (this.#isPaused) return
    }
    if (this.#returned) return
    if (this.#left) this.#finish(sink)
    else this.#sink = sink
  }

  /** Called by its sink, which cannot take another response yet: what comes waits till it is pushed to again. */
  pause(): void {
    this.#isPaused = true
    this.#sink = undefined
  }

  /** Its reader has ended it and hears nothing more. */
  get isAbandoned(): boolean {
    return this.#returned
  }

  /** What its reader is given of a response: an object of its own, if others get the same response. */
  resultOf(response: EncodedResponse): ExecutionResult {
    return this.#options.shared ? response.toSubscriberResult() : response.result
  }

  /** A response for its reader alone, of a result that is none of the group's. */
  responseOf(result: ExecutionResult): EncodedResponse {
    return new EncodedResponse(result, this.#options.services)
  }

  #enqueue(response: EncodedResponse): void {
    if (this.#queue.offer(response)) return
    // What waits is given up with the stream: its reader has missed something anyway, and is slow.
    this.#queue.clear()
    this.#options.services.counters.countError('SLOW_CONSUMER')
    this.end(slowConsumer('it was read more slowly than events arrived'))
  }

  #yielded(response: EncodedResponse): IteratorYieldResult<ExecutionResult> {
    return { done: false, value: this.resultOf(response) }
  }

  #leave(reason: EndReason): void {
    if (this.#left) return
    this.#left = true
    this.#options.membership.end(reason)
  }

  #finish(sink: ResponseSink): void {
    const failure = this.#takeFailure()
    if (failure === undefined) sink.complete()
    else sink.error(failure.toGraphQLError())
  }

  /** The first who waits hears the error; everybody after it, that the stream is done. */
  #settleWaiters(): void {
    for (let waiter = this.#waiters.shift(); waiter !== undefined; waiter = this.#waiters.shift()) {
      const failure = this.#takeFailure()
      if (failure === undefined) waiter.resolve(done)
      else waiter.reject(failure.toGraphQLError())
    }
  }

  #takeFailure(): SluiceError | undefined {
    const failure = this.#failure
    this.#failure = undefined
    return failure
  }
}

/** The stream, if it is the very one that the executor gave. */
export function asMemberStream(value: unknown): MemberStream | undefined {
  return value instanceof MemberStream ? value : undefined
}
