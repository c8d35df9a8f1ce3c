/** How many items a queue has room for when it gets its first, and above how many it gives its room back. */
const minCapacity = 4
const maxEmptyCapacity = 256

/**
 * First in, first out, in constant time per item, in a ring that grows by doubling. What was taken out is not kept alive,
 * and a queue that fills and empties again and again allocates nothing.
 */
export class FifoQueue<T> {
  #ring: (T | undefined)[] = []
  #head = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  push(item: T): void {
    if (this.#size === this.#ring.length) this.#grow()
    this.#ring[(this.#head + this.#size) & (this.#ring.length - 1)] = item
    this.#size += 1
  }

  shift(): T | undefined {
    if (this.#size === 0) return undefined
    const item = this.#ring[this.#head]
    this.#ring[this.#head] = undefined
    this.#head = (this.#head + 1) & (this.#ring.length - 1)
    this.#size -= 1
    if (this.#size === 0 && this.#ring.length > maxEmptyCapacity) this.clear()
    return item
  }

  peek(): T | undefined {
    return this.#ring[this.#head]
  }

  clear(): void {
    this.#ring = []
    this.#head = 0
    this.#size = 0
  }

  /** To the next power of two. */
  #grow(): void {
    const { length } = this.#ring
    const ring = new Array<T | undefined>(Math.max(minCapacity, length * 2)).fill(undefined)
    for (let index = 0; index < length; index += 1) ring[index] = this.#ring[(this.#head + index) & (length - 1)]
    this.#ring = ring
    this.#head = 0
  }
}
