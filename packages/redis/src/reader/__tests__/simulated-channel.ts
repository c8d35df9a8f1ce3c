import { type Cursor, lastOffset } from '../../cursor.ts'
import type { Entry, Frame } from '../../entry.ts'
import type { Page } from '../page.ts'

/**
 * A channel as Redis keeps it, in memory, for a machine that is to be tested without Redis: what the scripts do, in
 * TypeScript. That they agree is what the tests against a real server show.
 */
export class SimulatedChannel {
  /** Entries of the history that is now, oldest first. */
  #entries: Frame[] = []
  #epochNumber = 1
  #offset = 0
  #ms = 0
  #clock = 1_000

  get epoch(): string {
    return `e${this.#epochNumber}`
  }

  get top(): { epoch: string; ms: number; offset: number } {
    return { epoch: this.epoch, ms: this.#ms, offset: this.#offset }
  }

  /** Everything that is kept, as `<epoch>/<ms>-<offset>`. */
  get kept(): string[] {
    return this.#entries.map(nameOf)
  }

  publish(): Frame {
    this.#clock += 1
    const previousMs = this.#ms
    this.#offset += 1
    this.#ms = this.#clock
    const frame: Frame = {
      epoch: this.epoch,
      ms: this.#ms,
      offset: this.#offset,
      previousMs,
      envelope: new Uint8Array(),
      data: new Uint8Array(),
    }
    this.#entries.push(frame)
    return frame
  }

  /** Deletes the oldest entries; so many are left. */
  trim(count: number): void {
    this.#entries = count === 0 ? [] : this.#entries.slice(-count)
  }

  /** FLUSHALL. */
  flush(): void {
    this.#epochNumber += 1
    this.#entries = []
    this.#offset = 0
    this.#ms = 0
  }

  /** A replica that lacks the last entries is promoted. */
  loseTail(count: number): void {
    this.#entries = this.#entries.slice(0, Math.max(0, this.#entries.length - count))
    this.#offset = Math.max(0, this.#offset - count)
    this.#ms = this.#entries.at(-1)?.ms ?? 0
  }

  /** The range script. */
  read(cursor: Cursor, limit: number): Page {
    const first = this.#entries[0]
    const after = (isWanted: (entry: Entry) => boolean, gap?: Page['gap']): Page => {
      const entries = this.#entries.filter(isWanted)
      return { gap, entries: entries.slice(0, limit), hasMore: entries.length > limit, top: this.top }
    }
    if (cursor.epoch !== this.epoch) return after(() => true, 'epoch')
    const isAnchor = ({ ms, offset }: { ms: number; offset: number }) => ms === cursor.ms && offset === cursor.offset
    if (isAnchor(this.top) && !cursor.isBefore) return after(() => false)
    if (cursor.offset === 0) return after(() => true, first?.offset === 1 ? undefined : 'trimmed')
    if (this.#entries.some(isAnchor)) return after((entry) => entry.offset > lastOffset(cursor))
    const isFork =
      cursor.offset > this.#offset ||
      (cursor.offset === this.#offset && cursor.ms !== this.#ms) ||
      (first !== undefined && first.offset <= cursor.offset)
    return isFork ? after((entry) => entry.ms > cursor.ms, 'fork') : after(() => true, 'trimmed')
  }
}

/** An entry as tests compare it. */
export function nameOf({ epoch, ms, offset }: { epoch: string; ms: number; offset: number }): string {
  return `${epoch}/${ms}-${offset}`
}
