import { sqlStateOf } from './bus-errors.ts'

/** A sweep that is slower than this has stepped over many dead rows. */
const slowSweepMs = 5
/** Sweeping may take a tenth of the time. */
const restFactor = 10
const maxRestMs = 2_000
const notifyPauseMs = 30_000

/**
 * How this instance drains the inbox. The rows of a drained inbox stay in its index as long as some old snapshot is held
 * (a long transaction, also of another database's backup), and each sweep steps over all of them. Then most sweeps begin after the last id that
 * was taken, and a whole one, which finds transactions that committed late, comes as often as its cost allows.
 */
export class InboxSweep {
  #lastId = 0n
  #nextWholeAt = 0
  #notifyAt = 0

  /** Above which id to look now: 0 for a whole sweep. Never so high that the row with `wanted` is left out. */
  after(wanted?: string): string {
    if (performance.now() >= this.#nextWholeAt) return '0'
    const limit = wanted === undefined ? this.#lastId : BigInt(wanted) - 1n
    return String(limit < this.#lastId ? limit : this.#lastId)
  }

  swept(after: string, lastId: string, sweepMs: number): void {
    const last = BigInt(lastId)
    if (last > this.#lastId) this.#lastId = last
    if (after !== '0') return
    const restMs = sweepMs > slowSweepMs ? Math.min(maxRestMs, sweepMs * restFactor) : 0
    this.#nextWholeAt = restMs === 0 ? 0 : performance.now() + restMs
  }

  /** Whether a drain may notify. Not for a while after the server's queue of notifications was full. */
  get isNotifying(): boolean {
    return performance.now() >= this.#notifyAt
  }

  /** A drain failed: if a full queue of notifications was why, the next ones do not notify. Returns whether it was. */
  failed(error: unknown): boolean {
    if (sqlStateOf(error) !== '54000') return false
    this.#notifyAt = performance.now() + notifyPauseMs
    return true
  }
}
