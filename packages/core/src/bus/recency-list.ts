interface Node<T> {
  readonly item: T
  older: Node<T> | undefined
  newer: Node<T> | undefined
}

/**
 * A set that knows which of its items was touched least recently, every operation in O(1). (Deleting and
 * adding again to a `Set` would do the same, but its iterator walks over the holes that this leaves.)
 */
export class RecencyList<T> {
  readonly #nodes = new Map<T, Node<T>>()
  #oldest: Node<T> | undefined
  #newest: Node<T> | undefined

  get size(): number {
    return this.#nodes.size
  }

  /** The item that was touched least recently. */
  get oldest(): T | undefined {
    return this.#oldest?.item
  }

  /** Makes it the newest item; adds it if it is not here. */
  touch(item: T): void {
    let node = this.#nodes.get(item)
    if (node === undefined) {
      node = { item, older: undefined, newer: undefined }
      this.#nodes.set(item, node)
    } else {
      if (node === this.#newest) return
      this.#unlink(node)
    }
    node.older = this.#newest
    node.newer = undefined
    if (this.#newest === undefined) this.#oldest = node
    else this.#newest.newer = node
    this.#newest = node
  }

  /** Whether it was here. */
  delete(item: T): boolean {
    const node = this.#nodes.get(item)
    if (node === undefined) return false
    this.#unlink(node)
    return this.#nodes.delete(item)
  }

  clear(): void {
    this.#nodes.clear()
    this.#oldest = undefined
    this.#newest = undefined
  }

  #unlink(node: Node<T>): void {
    if (node.older === undefined) this.#oldest = node.newer
    else node.older.newer = node.newer
    if (node.newer === undefined) this.#newest = node.older
    else node.newer.older = node.older
  }
}
