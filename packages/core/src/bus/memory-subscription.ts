import type { BusListener, BusSubscription, Position } from './event-bus.ts'

/** One listener on one channel of a memory bus. It is alive as long as it is among the channel's listeners. */
export class MemorySubscription implements BusSubscription {
  readonly listener: BusListener
  readonly position: Position
  /** Where the channel was at the acknowledgement: events up to here are none of its live ones. */
  readonly acknowledgedOffset: number
  readonly #release: (subscription: MemorySubscription) => void
  #isClosed = false

  constructor(
    listener: BusListener,
    position: Position,
    acknowledgedOffset: number,
    release: (subscription: MemorySubscription) => void,
  ) {
    this.listener = listener
    this.position = position
    this.acknowledgedOffset = acknowledgedOffset
    this.#release = release
  }

  /** Whether its owner closed it; the bus's own end leaves this alone. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#release(this)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
