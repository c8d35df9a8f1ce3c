import { type ChannelKey, type HistoryPage, type Position, SluiceError } from '@sluice/core'
import { StatementError, unavailable } from './bus-errors.ts'
import { channelBytes } from './channel-bytes.ts'
import {
  type ChannelState,
  type ChannelStateRow,
  floorPosition,
  resumePoint,
  toChannelState,
  topPosition,
} from './channel-state.ts'
import type { PageRow } from './followed-channels.ts'
import { toEvent } from './log-row.ts'
import { pooledQuery } from './pooled-query.ts'
import { formatPosition, parsePosition } from './position.ts'
import type { PostgresPool, QueryConfig } from './postgres-client.ts'
import type { Readiness } from './readiness.ts'
import type { Statements } from './statements.ts'

/** Bytes of a page; a page has one event in any case. */
const pageBytes = 16_777_216

export interface HistoryReaderOptions {
  readonly pool: PostgresPool
  readonly statements: Statements
  readonly timeoutMs: number
  readonly readiness: Readiness
  /** Known as soon as the bus is ready. */
  readonly epoch: () => string
}

/** Answers `history` and `position` from the pool. */
export class HistoryReader {
  readonly #options: HistoryReaderOptions

  constructor(options: HistoryReaderOptions) {
    this.#options = options
  }

  async position(key: ChannelKey): Promise<Position> {
    const state = await this.#state(key, -1)
    return topPosition(this.#options.epoch(), state)
  }

  async page(key: ChannelKey, after: Position | undefined, limit: number): Promise<HistoryPage> {
    const parsed = after === undefined ? undefined : parsePosition(after)
    const state = await this.#state(key, parsed?.generation === undefined ? -1 : parsed.offset)
    const epoch = this.#options.epoch()
    const { offset, gap } =
      after === undefined ? { offset: state.row?.floorOffset ?? 0, gap: undefined } : resumePoint(epoch, state, parsed)
    const start = gap === undefined ? (after ?? floorPosition(epoch, state)) : floorPosition(epoch, state)
    const rows = await this.#query<PageRow & { bytes: string | null }>({
      text: this.#options.statements.channelPage,
      // One more than wanted tells whether there are more.
      values: [channelBytes(key), offset, limit + 1, pageBytes],
    })
    const [first] = rows
    // Between the two statements the oldest may have been deleted.
    const isCut = first !== undefined && Number(first.floor_offset) > offset
    const reason = gap ?? (isCut ? 'trimmed' : undefined)
    const found = rows.filter(({ anchor }) => anchor !== null)
    const channel = Object.freeze({ tenantId: key.tenantId, name: key.name })
    const events = found.slice(0, limit).map((row) => ({
      event: toEvent(row, channel),
      position: formatPosition({
        epoch,
        generation: row.generation,
        offset: Number(row.channel_offset),
        anchor: row.anchor,
      }),
    }))
    return {
      events,
      position: events.at(-1)?.position ?? start,
      hasMore: found.length > limit || Number(rows.at(-1)?.bytes ?? 0) >= pageBytes,
      ...(reason === undefined ? undefined : { gap: reason }),
    }
  }

  async #state(key: ChannelKey, offset: number): Promise<ChannelState> {
    await this.#options.readiness.wait(this.#options.timeoutMs)
    const [row] = await this.#query<ChannelStateRow>({
      text: this.#options.statements.channelStates,
      values: [[channelBytes(key)], [offset]],
    })
    if (row === undefined) throw new SluiceError('BUS_UNAVAILABLE', '[postgresBus] the server gave no answer')
    return toChannelState(row)
  }

  async #query<T extends object>(config: QueryConfig): Promise<readonly T[]> {
    try {
      return await pooledQuery<T>(this.#options.pool, config, { timeoutMs: this.#options.timeoutMs })
    } catch (error) {
      throw unavailable('the history could not be read', error instanceof StatementError ? error.cause : error)
    }
  }
}
