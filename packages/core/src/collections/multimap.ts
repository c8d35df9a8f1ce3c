/**
 * Several values under one key. Most keys have one value, which then stands there by itself: a set for each would cost
 * some hundred bytes. Values are objects, and none of them a `Set`.
 */
export class Multimap<TKey, TValue extends object> {
  readonly #entries = new Map<TKey, TValue | Set<TValue>>()

  /** How many keys have a value. */
  get keyCount(): number {
    return this.#entries.size
  }

  /** Tells whether it is the first of its key. */
  add(key: TKey, value: TValue): boolean {
    const entry = this.#entries.get(key)
    if (entry === undefined) this.#entries.set(key, value)
    else if (entry instanceof Set) entry.add(value)
    else if (entry !== value) this.#entries.set(key, new Set([entry, value]))
    return entry === undefined
  }

  /** Tells whether it was the last of its key; `false` if it was none of them. */
  delete(key: TKey, value: TValue): boolean {
    const entry = this.#entries.get(key)
    const isLast = entry instanceof Set ? entry.delete(value) && entry.size === 0 : entry === value
    if (isLast) this.#entries.delete(key)
    return isLast && entry !== undefined
  }

  has(key: TKey): boolean {
    return this.#entries.has(key)
  }

  /** How many values a key has. */
  count(key: TKey): number {
    const entry = this.#entries.get(key)
    if (entry === undefined) return 0
    return entry instanceof Set ? entry.size : 1
  }

  /** The values of a key, in the order in which they were added. What is deleted meanwhile may still come. */
  values(key: TKey): IterableIterator<TValue> {
    const entry = this.#entries.get(key)
    if (entry instanceof Set) return entry.values()
    return (entry === undefined ? [] : [entry]).values()
  }
}
