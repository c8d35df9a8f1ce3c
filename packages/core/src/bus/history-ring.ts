/** How much of a channel's history is kept. Whichever limit is reached first deletes the oldest. */
export interface HistoryLimits {
  readonly maxCount: number
  readonly maxBytes: number
  readonly maxAgeMs: number
}

interface Slot<T> {
  readonly value: T
  readonly bytes: number
  readonly at: number
}

/**
 * The latest entries of one channel, bounded by count, bytes and age. Entries have offsets without holes, from
 * 1 on, and an offset's place in the ring is its remainder, so appending and deleting are O(1). It grows by
 * doubling: a channel with three events holds no room for a thousand.
 *
 * There is no timer: age is looked at when something is appended, and by {@link HistoryRing.trim}, which
 * readers call first.
 */
export class HistoryRing<T> {
  readonly #limits: HistoryLimits
  #slots: (Slot<T> | undefined)[] = []
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
    if (this.#count === this.#slots.length) this.#grow()
    this.#lastOffset += 1
    this.#lastAt = now
    this.#slots[this.#index(this.#lastOffset)] = { value, bytes, at: now }
    this.#count += 1
    this.#bytes += bytes
    this.trim(now)
  }

  /** Deletes what is over the limits at `now`. */
  trim(now: number): void {
    const { maxBytes, maxAgeMs } = this.#limits
    while (this.#count > 0 && (this.#bytes > maxBytes || now - this.#oldest().at > maxAgeMs)) this.#dropOldest()
  }

  /** Deletes all entries. The offsets go on. */
  clear(): void {
    this.#slots = []
    this.#count = 0
    this.#bytes = 0
  }

  /** At most `limit` entries after an offset, oldest first: of those that are here. */
  after(offset: number, limit: number): T[] {
    const first = Math.max(offset, this.droppedOffset) + 1
    const last = Math.min(this.#lastOffset, first + limit - 1)
    const values: T[] = []
    for (let at = first; at <= last; at += 1) values.push(this.#slot(at).value)
    return values
  }

  #oldest(): Slot<T> {
    return this.#slot(this.droppedOffset + 1)
  }

  #dropOldest(): void {
    const index = this.#index(this.droppedOffset + 1)
    this.#bytes -= this.#oldest().bytes
    this.#slots[index] = undefined
    this.#count -= 1
  }

  #slot(offset: number): Slot<T> {
    return this.#slots[this.#index(offset)] as Slot<T>
  }

  #index(offset: number): number {
    return offset % this.#slots.length
  }

  #grow(): void {
    const slots = new Array<Slot<T> | undefined>(Math.max(4, this.#slots.length * 2)).fill(undefined)
    for (let offset = this.droppedOffset + 1; offset <= this.#lastOffset; offset += 1) {
      slots[offset % slots.length] = this.#slot(offset)
    }
    this.#slots = slots
  }
}
