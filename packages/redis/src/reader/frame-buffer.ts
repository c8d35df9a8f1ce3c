import { type Frame, frameBytes } from '../entry.ts'

/** How much of the wire is kept while a history is replayed. */
export interface FrameBufferLimits {
  readonly maxCount: number
  readonly maxBytes: number
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
    this.#bytes += frameBytes(frame)
    this.#frames.push(frame)
    if (this.#frames.length <= this.#limits.maxCount && this.#bytes <= this.#limits.maxBytes) return
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
    this.#frames = []
    this.#bytes = 0
    this.#hasOverflown = false
  }
}
