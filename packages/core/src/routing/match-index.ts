import { type CompiledMatch, type Condition, keyAt, satisfies } from '../channel/match.ts'

/**
 * Finds those whose match holds for an event, without asking each of them.
 *
 * Entries that compare the same paths form a table, keyed by the values at these paths. An event costs one
 * look-up per table that exists on the channel, however many entries the tables have.
 */
export class MatchIndex<TEntry> {
  readonly #tables = new Map<string, Table<TEntry>>()
  #size = 0

  /** How many entries were added and not deleted, those that nothing ever matches among them. */
  get size(): number {
    return this.#size
  }

  add(match: CompiledMatch, entry: TEntry): void {
    this.#size += 1
    const { indexed, verified } = planFor(match)
    const keys = keysOf(indexed)
    if (keys.length === 0) return // it takes one of no values: nothing ever matches
    const name = tableName(indexed)
    let table = this.#tables.get(name)
    if (table === undefined) {
      table = { steps: indexed.map(({ steps }) => steps), rows: new Map() }
      this.#tables.set(name, table)
    }
    for (const key of keys) {
      const row = table.rows.get(key)
      if (row === undefined) table.rows.set(key, new Map([[entry, verified]]))
      else row.set(entry, verified)
    }
  }

  /** Takes the very match with which the entry was added. */
  delete(match: CompiledMatch, entry: TEntry): void {
    this.#size -= 1
    const { indexed } = planFor(match)
    const name = tableName(indexed)
    const table = this.#tables.get(name)
    if (table === undefined) return
    for (const key of keysOf(indexed)) {
      const row = table.rows.get(key)
      row?.delete(entry)
      if (row?.size === 0) table.rows.delete(key)
    }
    if (table.rows.size === 0) this.#tables.delete(name)
  }

  isEmpty(): boolean {
    return this.#size === 0 && this.#tables.size === 0
  }

  /** Calls `visit` for every entry whose match holds, in no promised order. */
  find(data: unknown, visit: (entry: TEntry) => void): void {
    for (const table of this.#tables.values()) {
      const key = keyFor(data, table.steps)
      const row = key === undefined ? undefined : table.rows.get(key)
      if (row === undefined) continue
      for (const [entry, verified] of row) {
        if (verified.length === 0 || satisfies(data, verified)) visit(entry)
      }
    }
  }
}

interface Table<TEntry> {
  readonly steps: readonly (readonly string[])[]
  /** Values at the paths -> entries, each with the conditions that are left to verify. */
  readonly rows: Map<string, Map<TEntry, CompiledMatch>>
}

function tableName(indexed: readonly Condition[]): string {
  return JSON.stringify(indexed.map(({ path }) => path))
}

/** An entry that takes one of several values stands in as many rows; beyond this, paths are verified instead. */
const maxRowCount = 64

/** Which conditions are looked up, and which are compared afterwards. */
function planFor(match: CompiledMatch): { indexed: readonly Condition[]; verified: CompiledMatch } {
  let rowCount = 1
  const indexed: Condition[] = []
  const verified: Condition[] = []
  for (const condition of match) {
    if (rowCount * condition.keys.length <= maxRowCount) {
      rowCount *= condition.keys.length
      indexed.push(condition)
    } else {
      verified.push(condition)
    }
  }
  return { indexed, verified }
}

/** Every combination of the values of several conditions; exactly one, the empty one, for no condition. */
function keysOf(conditions: readonly Condition[]): string[] {
  let keys = ['']
  for (const condition of conditions) {
    keys = keys.flatMap((before) => condition.keys.map((key) => joinKey(before, key)))
  }
  return keys
}

function keyFor(data: unknown, paths: readonly (readonly string[])[]): string | undefined {
  let joined = ''
  for (const steps of paths) {
    const key = keyAt(data, steps)
    if (key === undefined) return undefined
    joined = joinKey(joined, key)
  }
  return joined
}

/** Length-prefixed, so that no value can pretend to be two. */
function joinKey(before: string, key: string): string {
  return `${before}${key.length}:${key}`
}
