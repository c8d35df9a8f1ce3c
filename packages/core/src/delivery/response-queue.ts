import { FifoQueue } from '../collections/fifo-queue.ts'
import type { Counters } from '../counters.ts'
import type { EncodedResponse } from './encoded-response.ts'
import type { OverflowOptions } from './overflow.ts'

/**
 * What waits for one subscription: at most `maxPendingCount` responses and `maxPendingBytes` bytes, whatever
 * happens. One response finds room in an empty queue however large it is, or its subscriber would never get on.
 */
export class ResponseQueue {
  readonly #limits: OverflowOptions
  readonly #counters: Pick<Counters, 'dropped' | 'queuedResponses'>
  readonly #responses = new FifoQueue<EncodedResponse>()
  #bytes = 0
  /** Something before the first, or the next, response was dropped. */
  #gapBeforeFirst = false
  #gapBeforeNext = false

  /** @param counters count what waits, and each response that finds no room, or has to make room. */
  constructor(limits: OverflowOptions, counters: Pick<Counters, 'dropped' | 'queuedResponses'>) {
    this.#limits = limits
    this.#counters = counters
  }

  get size(): number {
    return this.#responses.size
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Queues it under the overflow policy. `false`: there is no room, and the policy is to end the subscription. */
  offer(response: EncodedResponse): boolean {
    const { policy } = this.#limits
    const offered = this.#gapBeforeNext ? response.withGap('overflow') : response
    while (!this.#hasRoomFor(offered)) {
      this.#counters.dropped += 1
      if (policy === 'disconnect') return false
      if (policy === 'dropNewest') {
        this.#gapBeforeNext = true
        return true
      }
      this.#shift()
      this.#gapBeforeFirst = true
    }
    this.#gapBeforeNext = false
    this.#responses.push(offered)
    this.#counters.queuedResponses += 1
    this.#bytes += offered.bytes.length
    return true
  }

  /** Lets a response go past, which does not have to wait because nothing does. */
  pass(response: EncodedResponse): EncodedResponse {
    if (!this.#gapBeforeNext) return response
    this.#gapBeforeNext = false
    return response.withGap('overflow')
  }

  take(): EncodedResponse | undefined {
    const response = this.#shift()
    if (response === undefined || !this.#gapBeforeFirst) return response
    this.#gapBeforeFirst = false
    return response.withGap('overflow')
  }

  clear(): void {
    this.#counters.queuedResponses -= this.#responses.size
    this.#responses.clear()
    this.#bytes = 0
  }

  #shift(): EncodedResponse | undefined {
    const response = this.#responses.shift()
    if (response === undefined) return undefined
    this.#bytes -= response.bytes.length
    this.#counters.queuedResponses -= 1
    return response
  }

  #hasRoomFor(response: EncodedResponse): boolean {
    const { size } = this.#responses
    if (size === 0) return true
    return size < this.#limits.maxPendingCount && this.#bytes + response.bytes.length <= this.#limits.maxPendingBytes
  }
}
