import {
  asPushStream,
  draining,
  type EncodedResponse,
  type EndReason,
  type HostedResult,
  isAsyncIterable,
  isMeantForClient,
  isRefusal,
  type OperationHost,
  releaseStream,
  type ResponseSink,
  slowConsumer,
  type SubscriptionExecutor,
  toClientError,
} from '@sluice/core'
import type { ExecutionResult, GraphQLError } from 'graphql'
import type { EventStream } from './event-stream.ts'
import { completeEvent, failedOperationEvent, internalErrorEvent, nextEvent, nextEventFormat } from './events.ts'

/** What the operations of one endpoint have in common. */
export interface SseOperationServices {
  readonly executor: SubscriptionExecutor
  readonly sanitizeResult: OperationHost['sanitizeResult']
  /** The endpoint takes leave of its clients. */
  readonly isDraining: () => boolean
}

/**
 * One operation of one response, from its result to the end of the response. The executor's own streams push into it:
 * shared bytes, straight to the response. Others are pulled as fast as the client reads.
 */
export class SseOperation implements ResponseSink {
  readonly #events: EventStream
  readonly #services: SseOperationServices
  #source: unknown
  #hasEnded = false
  #missedSome = false

  constructor(events: EventStream, services: SseOperationServices) {
    this.#events = events
    this.#services = services
  }

  /** Writes what the host answered. Resolves when there is nothing left to do but what the executor pushes. */
  async deliver(result: HostedResult): Promise<void> {
    if (this.#hasEnded) return releaseStream(result, this.#services.executor)
    this.#events.open()
    if (isRefusal(result)) return this.#refuse(result)
    if (!isAsyncIterable(result)) {
      this.#write(result)
      return this.complete()
    }
    this.#source = result
    if (this.#services.isDraining()) return this.error(draining().toGraphQLError())
    const stream = asPushStream(result)
    if (stream === undefined) await this.#pump(result)
    else stream.pushTo(this)
  }

  /** In the hot path: once per subscriber and event. */
  next(response: EncodedResponse): void {
    // The event that finds the response full is the one too many: a single large one to a reader who has read
    // everything before is none.
    if (this.#events.isFull()) return this.#overflow()
    const { sanitizeResult } = this.#services
    let mine = sanitizeResult === undefined ? response : response.masked(sanitizeResult)
    if (this.#missedSome) {
      this.#missedSome = false
      mine = mine.withGap('overflow')
    }
    this.#events.write(mine.framed(nextEventFormat))
  }

  /** The server ends it, or it came to its end. */
  complete(): void {
    if (this.#end('complete')) this.#events.end(completeEvent)
  }

  error(error: unknown): void {
    this.fail(error)
  }

  /** The endpoint takes leave: what streams ends, and what owes the client its one result may give it. */
  drain(): void {
    if (this.#source !== undefined) this.complete()
  }

  /** Something failed: the client is told what it may know of it. */
  fail(error: unknown): void {
    if (!isMeantForClient(error)) this.#services.executor.reportError(error)
    if (this.#hasEnded) return
    this.#refuse([toClientError(error)])
  }

  /** Nobody reads any more. */
  abandon(): void {
    this.#end('client')
  }

  #refuse(errors: readonly GraphQLError[]): void {
    if (this.#hasEnded) return
    this.#write({ errors })
    this.complete()
  }

  #end(reason: EndReason): boolean {
    if (this.#hasEnded) return false
    this.#hasEnded = true
    void releaseStream(this.#source, this.#services.executor, reason)
    return true
  }

  /** What is on its way cannot be taken back, so both dropping policies drop what is new. */
  #overflow(): void {
    const { executor } = this.#services
    if (executor.overflow.policy !== 'disconnect') {
      this.#missedSome = true
      executor.recordDropped(1)
      return
    }
    executor.recordSlowConsumer()
    if (!this.#end('SLOW_CONSUMER')) return
    this.#write({ errors: [slowConsumer('it was read more slowly than events arrived').toGraphQLError()] })
    this.#events.end(completeEvent)
  }

  async #pump(results: AsyncIterable<ExecutionResult>): Promise<void> {
    const iterator: AsyncIterator<ExecutionResult, unknown> = results[Symbol.asyncIterator]()
    // An iterable that is no generator knows nothing of its iterators, so the iterator is what has to be ended.
    this.#source = iterator
    try {
      for (;;) {
        await this.#events.notFull()
        if (this.#hasEnded) return
        const { done, value } = await iterator.next()
        if (this.#hasEnded) return
        if (done === true) {
          this.#source = undefined // it has released itself
          return this.complete()
        }
        this.#write(value)
      }
    } catch (error) {
      this.fail(error)
    }
  }

  /** A result that cannot be written is no reason to end: the client is told of it, and of those that follow. */
  #write(result: ExecutionResult): void {
    let event: Uint8Array
    try {
      event = nextEvent(result, this.#services.sanitizeResult)
    } catch (error) {
      this.#services.executor.reportError(error)
      event = this.#source === undefined ? failedOperationEvent : internalErrorEvent
    }
    this.#events.write(event)
  }
}
