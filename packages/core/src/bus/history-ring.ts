/** How much of a channel's history is kept. Whichever limit is reached first deletes the oldest. */
export interface HistoryLimits {
  readonly maxCount: number
  readonly maxBytes: number
  readonly maxAgeMs: number
}

/**
 * The latest entries of one channel, bounded by count, bytes and age. Entries have offsets without holes, from
 * 1 on, and an offset's place in the ring is its remainder, so appending and deleting are O(1). It grows by
 * doubling: a channel with three events holds no room for a thousand. What belongs to an entry stands at the same index
 * of three arrays, so that an entry is no object of its own.
 *
 * There is no timer: age is looked at when something is appended, and by {@link HistoryRing.trim}, which
 * readers call first.
 */
export class HistoryRing<T> {
  readonly #limits: HistoryLimits
  #values: (T | undefined)[] = []
  #sizes: number[] = []
  #times: number[] = []
  #count = 0
  #bytes = 0
  #lastOffset = 0
  #lastAt = Number.NEGATIVE_INFINITY

  constructor(limits: HistoryLimits) {
    this.#limits = limits
  }

  get count(): number {
    return this.#count
  }

  get bytes(): number {
    return this.#bytes
  }

  /** The offset of the newest entry that was ever appended; 0 before the first. */
  get lastOffset(): number {
    return this.#lastOffset
  }

  /** The offset of the newest entry that was deleted: whatever comes after it is here. */
  get droppedOffset(): number {
    return this.#lastOffset - this.#count
  }

  /** Whether no entry would survive a {@link HistoryRing.trim} at `now`. */
  isExpired(now: number): boolean {
    return now - this.#lastAt > this.#limits.maxAgeMs
  }

  /** Takes the entry at offset `lastOffset + 1`; what is over a limit goes, and be it this entry. */
  append(value: T, bytes: number, now: number): void {
    if (this.#count === this.#limits.maxCount) this.#dropOldest()
    if (this.#count === this.#values.length) this.#grow()
    this.#lastOffset += 1
    this.#lastAt = now
    const index = this.#index(this.#lastOffset)
    this.#values[index] = value
    this.#sizes[index] = bytes
    this.#times[index] = now
    this.#count += 1
    this.#bytes += bytes
    this.trim(now)
  }

  /** Deletes what is over the limits at `now`. */
  trim(now: number): void {
    const { maxBytes, maxAgeMs } = this.#limits
    while (this.#count > 0 && (this.#bytes > maxBytes || now - this.#oldestTime() > maxAgeMs)) this.#dropOldest()
  }

  /** Deletes all entries. The offsets go on. */
  clear(): void {
    this.#values = []
    this.#sizes = []
    this.#times = []
    this.#count = 0
    this.#bytes = 0
  }

  /** At most `limit` entries after an offset, oldest first: of those that are here. */
  after(offset: number, limit: number): T[] {
    const first = Math.max(offset, this.droppedOffset) + 1
    const last = Math.min(this.#lastOffset, first + limit - 1)
    const values: T[] = []
    for (let at = first; at <= last; at += 1) values.push(this.#values[this.#index(at)] as T)
    return values
  }

  #oldestTime(): number {
    return this.#times[this.#index(this.droppedOffset + 1)] as number
  }

  #dropOldest(): void {
    const index = this.#index(this.droppedOffset + 1)
    this.#bytes -= this.#sizes[index] as number
    this.#values[index] = undefined
    this.#count -= 1
  }

  #index(offset: number): number {
    return offset % this.#values.length
  }

  #grow(): void {
    const length = Math.max(4, this.#values.length * 2)
    const values = new Array<T | undefined>(length).fill(undefined)
    const sizes = new Array<number>(length).fill(0)
    const times = new Array<number>(length).fill(0)
    for (let offset = this.droppedOffset + 1; offset <= this.#lastOffset; offset += 1) {
      const from = this.#index(offset)
      const to = offset % length
      values[to] = this.#values[from]
      sizes[to] = this.#sizes[from] as number
      times[to] = this.#times[from] as number
    }
    this.#values = values
    this.#sizes = sizes
    this.#times = times
  }
}
