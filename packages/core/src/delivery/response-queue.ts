import { FifoQueue } from '../collections/fifo-queue.ts'
import type { EncodedResponse } from './encoded-response.ts'
import type { OverflowOptions } from './overflow.ts'

/** `'overflow'`: there is no room, and the policy is to end the subscription. */
export type OfferOutcome = 'queued' | 'dropped' | 'overflow'

/**
 * What waits for one subscription: at most `maxPendingCount` responses and `maxPendingBytes` bytes, whatever
 * happens. One response finds room in an empty queue however large it is, or its subscriber would never get on.
 */
export class ResponseQueue {
  readonly #limits: OverflowOptions
  readonly #responses = new FifoQueue<EncodedResponse>()
  #bytes = 0
  /** Something before the first, or the next, response was dropped. */
  #gapBeforeFirst = false
  #gapBeforeNext = false

  constructor(limits: OverflowOptions) {
    this.#limits = limits
  }

  get size(): number {
    return this.#responses.size
  }

  get bytes(): number {
    return this.#bytes
  }

  offer(response: EncodedResponse): OfferOutcome {
    const { policy } = this.#limits
    let outcome: OfferOutcome = 'queued'
    while (!this.#hasRoomFor(response)) {
      if (policy === 'disconnect') return 'overflow'
      if (policy === 'dropNewest') {
        this.#gapBeforeNext = true
        return 'dropped'
      }
      this.#shift()
      this.#gapBeforeFirst = true
      outcome = 'dropped'
    }
    const queued = this.#gapBeforeNext ? response.withGap('overflow') : response
    this.#gapBeforeNext = false
    this.#responses.push(queued)
    this.#bytes += queued.bytes.length
    return outcome
  }

  take(): EncodedResponse | undefined {
    const response = this.#shift()
    if (response === undefined || !this.#gapBeforeFirst) return response
    this.#gapBeforeFirst = false
    return response.withGap('overflow')
  }

  clear(): void {
    this.#responses.clear()
    this.#bytes = 0
  }

  #shift(): EncodedResponse | undefined {
    const response = this.#responses.shift()
    if (response !== undefined) this.#bytes -= response.bytes.length
    return response
  }

  #hasRoomFor(response: EncodedResponse): boolean {
    const { size } = this.#responses
    if (size === 0) return true
    return size < this.#limits.maxPendingCount && this.#bytes + response.bytes.length <= this.#limits.maxPendingBytes
  }
}
