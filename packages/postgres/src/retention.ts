import type { BusObservers } from '@sluice/core'
import { StatementError, unavailable } from './bus-errors.ts'
import type { PostgresBusSettings } from './options.ts'
import { pooledQuery } from './pooled-query.ts'
import type { PostgresPool } from './postgres-client.ts'
import { Signal } from './signal.ts'
import type { Statements } from './statements.ts'

const intervalMs = 2_000
const batchCount = 5_000
/** Channels are forgotten once in so many turns. */
const forgetTurns = 150
const timeoutMs = 30_000

export interface RetentionOptions {
  readonly settings: PostgresBusSettings
  readonly pool: PostgresPool
  readonly statements: Statements
  readonly observers: BusObservers
}

/** Has the database delete what the history's limits no longer keep. Instances take turns: whoever comes first does it. */
export class Retention {
  readonly #options: RetentionOptions
  readonly #signal = new Signal()
  #isStopped = false
  #ended: Promise<void> = Promise.resolve()

  constructor(options: RetentionOptions) {
    this.#options = options
  }

  start(): void {
    this.#ended = this.#run()
  }

  stop(): void {
    this.#isStopped = true
    this.#signal.set()
  }

  ended(): Promise<void> {
    return this.#ended
  }

  async #run(): Promise<void> {
    let turn = 0
    let wasFailing = false
    while (!this.#isStopped) {
      // Not all instances at the same time.
      await this.#signal.wait(intervalMs * (0.75 + Math.random() / 2))
      if (this.#isStopped) return
      turn += 1
      try {
        await this.#retain()
        if (turn % forgetTurns === 0) await this.#forget()
        wasFailing = false
      } catch (error) {
        // Said once: while there is no connection the reader says enough.
        if (!wasFailing && error instanceof StatementError && error.outcome === 'refused') {
          this.#options.observers.error(unavailable('old events could not be deleted', error.cause))
        }
        wasFailing = true
      }
    }
  }

  async #retain(): Promise<void> {
    const { pool, statements, settings } = this.#options
    const { maxCount, maxAgeMs } = settings.history
    const values = [maxCount, Number.isFinite(maxAgeMs) ? maxAgeMs : null, settings.dedupWindowMs, batchCount]
    let deleted = batchCount
    while (deleted >= batchCount && !this.#isStopped) {
      const [result] = await pooledQuery<{ deleted: number }>(pool, { text: statements.retain, values }, { timeoutMs })
      deleted = result?.deleted ?? 0
    }
  }

  async #forget(): Promise<void> {
    const { pool, statements, settings } = this.#options
    if (!Number.isFinite(settings.history.maxAgeMs)) return
    const query = { text: statements.forgetChannels, values: [settings.history.maxAgeMs] }
    await pooledQuery(pool, query, { timeoutMs, isReadCommitted: true })
  }
}
