import type { BusEvent, PublishReceipt } from '@sluice/core'
import { busClosed, outcomeUnknown, sqlStateOf, StatementError, unavailable } from './bus-errors.ts'
import { type EventValues, eventValues } from './event-values.ts'
import type { InboxSweep } from './inbox-sweep.ts'
import { pooledQuery } from './pooled-query.ts'
import { formatPosition } from './position.ts'
import type { PostgresPool } from './postgres-client.ts'
import type { Statements } from './statements.ts'

/** Events of one statement, and their bytes: with more it only becomes slower. */
const maxBatchCount = 256
const maxBatchBytes = 4_194_304
const drainCount = 500
const firstBackoffMs = 20
const maxBackoffMs = 1_000
const deadlineCheckMs = 100

export interface PublisherOptions {
  readonly pool: PostgresPool
  readonly statements: Statements
  readonly sweep: InboxSweep
  readonly maxPayloadBytes: number
  readonly maxPendingCount: number
  readonly maxPendingBytes: number
  readonly publishTimeoutMs: number
  readonly dedupWindowMs: number
  /** Events were put into the log. */
  readonly onDrained: () => void
}

interface Entry {
  readonly values: EventValues
  /** Of its data and its headers. */
  readonly bytes: number
  readonly deadline: number
  readonly resolve: (receipt: PublishReceipt) => void
  readonly reject: (error: unknown) => void
  stage: 'queued' | 'sent' | 'inserted'
  /** Its id in the inbox, once it is there. */
  id: string
}

interface SettledRow {
  readonly id: string
  readonly epoch: string
  readonly generation: string
  readonly channel_offset: string
  readonly anchor: string
  readonly duplicate: boolean
  readonly last_id: string
  readonly sweep_ms: number
}

/**
 * The way of a published event into the database: a queue, an INSERT into the inbox, then a drain that tells where the
 * event is in its channel. What waits is sent together, in the order in which it was published. One INSERT and one drain
 * are under way at a time, side by side.
 */
export class Publisher {
  readonly #options: PublisherOptions
  /** All that have not been answered. */
  readonly #pending = new Set<Entry>()
  #pendingBytes = 0
  #queue: Entry[] = []
  #inserted: Entry[] = []
  #isStarted = false
  #isInserting = false
  #isSettling = false
  /** Whether the pool's transactions have another isolation, so that a drain needs one of its own. */
  #needsReadCommitted = false
  #isClosed = false
  #timer: NodeJS.Timeout | undefined
  #lastError: unknown
  readonly #onIdle = new Set<() => void>()

  constructor(options: PublisherOptions) {
    this.#options = options
  }

  get pendingCount(): number {
    return this.#pending.size
  }

  /** The schema is there: what waits may go. */
  start(): void {
    this.#isStarted = true
    void this.#insertAll()
  }

  /** Why nothing could be sent yet, for the error of those who waited in vain. */
  hindered(error: unknown): void {
    this.#lastError = error
  }

  async publish(event: BusEvent): Promise<PublishReceipt> {
    const { maxPayloadBytes, maxPendingCount, maxPendingBytes, publishTimeoutMs } = this.#options
    const values = eventValues(event, maxPayloadBytes)
    const bytes = values.data.byteLength + (values.headers?.byteLength ?? 0)
    // One event may wait in any case.
    const isFull = this.#pending.size > 0 && this.#pendingBytes + bytes > maxPendingBytes
    if (this.#pending.size >= maxPendingCount || isFull) {
      throw unavailable(
        `${this.#pending.size} events with ${this.#pendingBytes} bytes wait for the server already; publish slower`,
        this.#lastError,
      )
    }
    return new Promise((resolve, reject) => {
      const entry: Entry = {
        values,
        bytes,
        deadline: performance.now() + publishTimeoutMs,
        resolve,
        reject,
        stage: 'queued',
        id: '',
      }
      this.#pending.add(entry)
      this.#pendingBytes += bytes
      this.#queue.push(entry)
      this.#timer ??= setInterval(() => this.#expire(performance.now()), deadlineCheckMs)
      void this.#insertAll()
    })
  }

  /** Resolves when nothing is under way. */
  drain(): Promise<void> {
    if (this.#pending.size === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#onIdle.add(resolve)
    })
  }

  /** Refuses what was not sent, and waits for what was, though not longer than `graceMs`. */
  async close(graceMs: number): Promise<void> {
    this.#isClosed = true
    this.#queue = []
    for (const entry of this.#pending) {
      if (entry.stage === 'queued') this.#fail(entry, busClosed())
    }
    const timer = setTimeout(() => {
      for (const entry of this.#pending) this.#fail(entry, outcomeUnknown('the bus was closed meanwhile'))
    }, graceMs)
    await this.drain()
    clearTimeout(timer)
  }

  async #insertAll(): Promise<void> {
    if (this.#isInserting || !this.#isStarted) return
    this.#isInserting = true
    let backoffMs = firstBackoffMs
    // What else is published in this turn comes along.
    await Promise.resolve()
    while (this.#queue.length > 0) {
      const batch = this.#takeBatch()
      try {
        await this.#insert(batch)
        backoffMs = firstBackoffMs
      } catch (error) {
        this.#lastError = error instanceof StatementError ? error.cause : error
        if (error instanceof StatementError && error.outcome === 'not-sent' && !this.#isClosed) {
          for (const entry of batch) entry.stage = 'queued'
          this.#queue.unshift(...batch.filter((entry) => this.#pending.has(entry)))
          this.#expire(performance.now())
          await delay(backoffMs)
          backoffMs = Math.min(maxBackoffMs, backoffMs * 2)
        } else {
          for (const entry of batch) this.#fail(entry, insertFailure(error))
        }
      }
    }
    this.#isInserting = false
  }

  async #insert(batch: readonly Entry[]): Promise<void> {
    const rows = await pooledQuery<{ id: string }>(
      this.#options.pool,
      {
        text: this.#options.statements.insertMany,
        values: [
          batch.map(({ values }) => values.channelKey),
          batch.map(({ values }) => values.eventId),
          batch.map(({ values }) => values.type),
          batch.map(({ values }) => values.userId),
          batch.map(({ values }) => values.data),
          batch.map(({ values }) => values.headers),
          batch.map(({ values }) => values.publishedAt),
        ],
      },
      { timeoutMs: this.#statementTimeoutMs(batch) },
    )
    const ids = rows.map(({ id }) => BigInt(id)).sort((a, b) => (a < b ? -1 : 1))
    for (const [index, entry] of batch.entries()) {
      entry.id = String(ids[index])
      entry.stage = 'inserted'
    }
    this.#inserted.push(...batch)
    void this.#settleAll()
  }

  async #settleAll(): Promise<void> {
    if (this.#isSettling) return
    this.#isSettling = true
    let backoffMs = firstBackoffMs
    while (this.#inserted.length > 0) {
      const batch = this.#inserted.splice(0, maxBatchCount)
      try {
        await this.#settle(batch)
        backoffMs = firstBackoffMs
      } catch (error) {
        this.#lastError = error instanceof StatementError ? error.cause : error
        const isToTryDifferently = this.#options.sweep.failed(this.#lastError) || this.#isForIsolation(this.#lastError)
        if (!isToTryDifferently) {
          await delay(backoffMs)
          backoffMs = Math.min(maxBackoffMs, backoffMs * 2)
        }
      }
      // They are in the inbox, and whoever drains next puts them into the log: only where they are is still to be learnt.
      this.#expire(performance.now())
      this.#inserted.unshift(...batch.filter((entry) => this.#pending.has(entry)))
    }
    this.#isSettling = false
  }

  async #settle(batch: readonly Entry[]): Promise<void> {
    const { pool, statements, sweep, dedupWindowMs, onDrained } = this.#options
    const after = sweep.after(batch[0]?.id)
    const rows = await pooledQuery<SettledRow>(
      pool,
      {
        text: statements.settle,
        values: [
          batch.map(({ id }) => id),
          batch.map(({ values }) => values.channelKey),
          batch.map(({ values }) => values.eventId),
          drainCount,
          after,
          sweep.isNotifying,
          dedupWindowMs,
        ],
      },
      { timeoutMs: this.#statementTimeoutMs(batch), isReadCommitted: this.#needsReadCommitted },
    )
    onDrained()
    const [first] = rows
    if (first !== undefined) sweep.swept(after, first.last_id, first.sweep_ms)
    const byId = new Map(rows.map((row) => [row.id, row]))
    for (const entry of batch) {
      const row = byId.get(entry.id)
      if (row === undefined) continue
      const { epoch, generation, anchor, duplicate } = row
      const position = formatPosition({ epoch, generation, offset: Number(row.channel_offset), anchor })
      this.#end(entry)
      entry.resolve({ position, duplicate })
    }
  }

  /** 25000 is what `drain` says where transactions are not READ COMMITTED by default. */
  #isForIsolation(error: unknown): boolean {
    if (this.#needsReadCommitted || sqlStateOf(error) !== '25000') return false
    this.#needsReadCommitted = true
    return true
  }

  /** Half of the time at most: a link that swallows a statement must not use up the time of those who wait behind it. */
  #statementTimeoutMs(batch: readonly Entry[]): number {
    const leftMs = Math.max(...batch.map(({ deadline }) => deadline)) - performance.now()
    return Math.max(1, Math.min(leftMs, this.#options.publishTimeoutMs / 2))
  }

  #takeBatch(): Entry[] {
    const batch: Entry[] = []
    let bytes = 0
    for (const entry of this.#queue) {
      bytes += entry.bytes
      if (batch.length === maxBatchCount || (batch.length > 0 && bytes > maxBatchBytes)) break
      entry.stage = 'sent'
      batch.push(entry)
    }
    this.#queue.splice(0, batch.length)
    return batch
  }

  #expire(now: number): void {
    const within = `within ${this.#options.publishTimeoutMs} ms`
    let isQueueShorter = false
    for (const entry of this.#pending) {
      if (entry.deadline > now || entry.stage === 'sent') continue
      if (entry.stage === 'queued') {
        isQueueShorter = true
        this.#fail(entry, unavailable(`the server did not take the event ${within}`, this.#lastError))
      } else {
        this.#fail(
          entry,
          outcomeUnknown(`the server took the event, but did not say where it is ${within}`, this.#lastError),
        )
      }
    }
    if (isQueueShorter) this.#queue = this.#queue.filter((entry) => this.#pending.has(entry))
  }

  #fail(entry: Entry, error: unknown): void {
    if (!this.#end(entry)) return
    entry.reject(error)
  }

  #end(entry: Entry): boolean {
    if (!this.#pending.delete(entry)) return false
    this.#pendingBytes -= entry.bytes
    if (this.#pending.size > 0) return true
    clearInterval(this.#timer)
    this.#timer = undefined
    const waiting = [...this.#onIdle]
    this.#onIdle.clear()
    // After those who published have heard: their promises are some turns away.
    if (waiting.length > 0) setImmediate(() => waiting.forEach((resolve) => resolve()))
    return true
  }
}

function insertFailure(error: unknown): unknown {
  if (!(error instanceof StatementError)) return error
  if (error.outcome === 'not-sent') return busClosed()
  if (error.outcome === 'refused') return unavailable('the server refused the event', error.cause)
  return outcomeUnknown('the connection was lost while the event was under way', error.cause)
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
