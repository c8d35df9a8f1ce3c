import type { BusListener, BusSubscription, Position } from '@sluice/core'
import type { FollowedPoint } from './followed-point.ts'

/** One listener on one channel. */
export class PostgresSubscription implements BusSubscription {
  readonly listener: BusListener
  readonly position: Position
  /** The last event that it must not be told live: it came before the acknowledgement, or was replayed. */
  point: FollowedPoint
  /** Its events are read from the history, and not live, until it has caught up. */
  isReplaying = false
  readonly #release: (subscription: PostgresSubscription) => void
  #isClosed = false

  constructor(
    listener: BusListener,
    position: Position,
    point: FollowedPoint,
    release: (subscription: PostgresSubscription) => void,
  ) {
    this.listener = listener
    this.position = position
    this.point = point
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
