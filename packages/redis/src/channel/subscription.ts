import type { BusListener, BusNotification, BusSubscription, Position } from '@sluice/core'
import type { Cursor } from '../cursor.ts'

/** One listener on one channel. */
export class RedisSubscription implements BusSubscription {
  readonly #listener: BusListener
  readonly #onError: (error: unknown) => void
  readonly #release: (subscription: RedisSubscription) => void
  #position: Position | undefined
  #isClosed = false
  /**
   * Where it was acknowledged, as long as its reader is not there yet: what comes before is none of its events. `undefined`: everything
   * that the reader tells is.
   */
  floor: Cursor | undefined

  constructor(
    listener: BusListener,
    onError: (error: unknown) => void,
    release: (subscription: RedisSubscription) => void,
  ) {
    this.#listener = listener
    this.#onError = onError
    this.#release = release
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Where the channel was when it was acknowledged; nobody has it earlier. */
  get position(): Position {
    return this.#position as Position
  }

  acknowledge(position: Position): void {
    this.#position ??= position
  }

  tell(notification: BusNotification): void {
    if (this.#isClosed) return
    try {
      this.#listener(notification)
    } catch (error) {
      this.#onError(error)
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#release(this)
  }

  /** The bus's own end: this is the last that it hears. */
  farewell(): void {
    this.tell(closedNotification)
    this.#isClosed = true
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

const closedNotification: BusNotification = Object.freeze({ kind: 'status', status: 'closed' })
