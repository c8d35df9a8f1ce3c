import { type Frame, frameBytes } from '../entry.ts'

/** How much of the wire is kept while a history is replayed. */
export interface FrameBufferLimits {
  readonly maxCount: number
  readonly maxBytes: number
  /** What all buffers of a bus may keep together. */
  readonly budget: FrameBudget
}

/** Bytes that many buffers share: after a reconnect every channel may be replaying at once. */
export class FrameBudget {
  readonly #maxBytes: number
  #usedBytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  get isExceeded(): boolean {
    return this.#usedBytes > this.#maxBytes
  }

  /** @param bytes less than 0 for what is given back */
  use(bytes: number): void {
    this.#usedBytes += bytes
  }
}

/**
 * The frames that came while a replay is under way. When they are too many all of them are dropped, and those that come
 * after as well: the stream has them, and the replay goes on for one more page instead.
 */
export class FrameBuffer {
  readonly #limits: FrameBufferLimits
  #frames: Frame[] = []
  #bytes = 0
  #hasOverflown = false

  constructor(limits: FrameBufferLimits) {
    this.#limits = limits
  }

  get count(): number {
    return this.#frames.length
  }

  /** Whether frames were dropped since the buffer was last taken or emptied. */
  get hasOverflown(): boolean {
    return this.#hasOverflown
  }

  add(frame: Frame): void {
    if (this.#hasOverflown) return
    const { maxCount, maxBytes, budget } = this.#limits
    const bytes = frameBytes(frame)
    this.#bytes += bytes
    budget.use(bytes)
    this.#frames.push(frame)
    if (this.#frames.length <= maxCount && this.#bytes <= maxBytes && !budget.isExceeded) return
    this.clear()
    this.#hasOverflown = true
  }

  /** Gives the frames, in the order in which they came, and is empty. */
  take(): readonly Frame[] {
    const frames = this.#frames
    this.clear()
    return frames
  }

  clear(): void {
    this.#limits.budget.use(-this.#bytes)
    this.#frames = []
    this.#bytes = 0
    this.#hasOverflown = false
  }
}
