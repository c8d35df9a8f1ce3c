import type { Buffer } from 'node:buffer'
import { type ChannelState, type ChannelStateRow, toChannelState } from './channel-state.ts'
import type { PageRow, ReadRow } from './followed-channels.ts'
import type { ListeningConnection } from './listening-connection.ts'
import type { Statements } from './statements.ts'

/** A page: so many events and bytes of them (one event in any case) are in memory at a time. */
const pageCount = 500
const pageBytes = 4_194_304
/** With more channels than this their keys are more than the events that are read in vain. */
const maxFilteredCount = 64

/** What was read by `seq`. */
export interface ReadPage {
  /** Of the history that it was read from. */
  readonly epoch: string | null
  readonly rows: readonly ReadRow[]
  /** Read on after it. */
  readonly cursor: number
  /** Whether there was nothing more. */
  readonly isLast: boolean
  /** The server's clock, in milliseconds since the Unix epoch. */
  readonly nowMs: number
}

interface ReadResult extends ReadRow {
  readonly epoch: string | null
  readonly top_seq: string
  readonly now_ms: number
  readonly seq: string | null
  readonly bytes: string
}

/** What the listening side asks of the log, on one connection. */
export class LogQueries {
  readonly #connection: ListeningConnection
  readonly #statements: Statements

  constructor(connection: ListeningConnection, statements: Statements) {
    this.#connection = connection
    this.#statements = statements
  }

  /** Where channels are, and the anchors of their events at these offsets (-1: of none). */
  async channelStates(keys: readonly Buffer[], offsets: readonly number[]): Promise<ChannelState[]> {
    const rows = await this.#connection.query<ChannelStateRow>({
      name: 'sluice-states',
      text: this.#statements.channelStates,
      values: [keys, offsets],
    })
    return rows.map(toChannelState)
  }

  /** The next events of all channels, or of those with these keys if they are few. */
  async read(cursor: number, keys: readonly Buffer[]): Promise<ReadPage> {
    const page = [cursor, pageCount, pageBytes]
    const found = await this.#connection.query<ReadResult>(
      keys.length <= maxFilteredCount
        ? { name: 'sluice-read-some', text: this.#statements.readSome, values: [...page, keys] }
        : { name: 'sluice-read-all', text: this.#statements.readAll, values: page },
    )
    const last = found.at(-1)
    if (last === undefined) throw new Error('the server gave no answer')
    const isLast = last.seq === null || (found.length < pageCount && Number(last.bytes) < pageBytes)
    return {
      epoch: last.epoch,
      rows: found.filter(({ seq }) => seq !== null),
      cursor: isLast ? Math.max(cursor, Number(last.top_seq)) : Number(last.seq),
      isLast,
      nowMs: last.now_ms,
    }
  }

  /** The next events of one channel. */
  async page(key: Buffer, offset: number): Promise<{ rows: readonly PageRow[]; isLast: boolean }> {
    const rows = await this.#connection.query<PageRow & { bytes: string | null }>({
      name: 'sluice-page',
      text: this.#statements.channelPage,
      values: [key, offset, pageCount, pageBytes],
    })
    return { rows, isLast: rows.length < pageCount && Number(rows.at(-1)?.bytes ?? 0) < pageBytes }
  }
}
