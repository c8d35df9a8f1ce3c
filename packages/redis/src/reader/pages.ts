import type { GapReason } from '@sluice/core'
import type { Commands } from '../connection/commands.ts'
import { type Cursor, parseEntryId } from '../cursor.ts'
import type { Entry } from '../entry.ts'
import type { ChannelNames } from '../keys.ts'
import { newEpoch } from '../publisher.ts'
import { rangeScript } from '../scripts/range-script.ts'
import type { Page } from './page.ts'

/** Entries and bytes of a page at most (a page that is over the bytes ends within the next 16 entries). */
const maxPageCount = 256
const maxPageBytes = 1_048_576

/** Pages that are read at a time: after a reconnect every channel may want some. */
const maxConcurrentPages = 16

/** Reads pages of streams, some at a time, in the order of asking. */
export class Pages {
  readonly #commands: Commands
  readonly #recordTtlMs: number
  readonly #waiting = new Set<() => void>()
  #runningCount = 0

  constructor(commands: Commands, recordTtlMs: number) {
    this.#commands = commands
    this.#recordTtlMs = recordTtlMs
  }

  /**
   * What comes after a cursor (`undefined`: what is kept), however long there is no connection.
   *
   * @throws SluiceError BUS_CLOSED, FORBIDDEN, BUS_UNAVAILABLE; the signal's reason
   */
  async read(
    { meta, stream }: ChannelNames,
    cursor: Cursor | undefined,
    limit: number = maxPageCount,
    signal?: AbortSignal,
  ): Promise<Page> {
    await this.#turn(signal)
    try {
      const from =
        cursor === undefined ? ['', 0, 0, 0] : [cursor.epoch, cursor.ms, cursor.offset, cursor.isBefore ? 1 : 0]
      const args = [newEpoch(), this.#recordTtlMs, ...from, limit, maxPageBytes]
      return toPage(await this.#commands.runUntilDone(rangeScript, [meta, stream], args, signal))
    } finally {
      this.#runningCount -= 1
      const [next] = this.#waiting
      next?.()
    }
  }

  /** Resolves when it is the caller's turn, which it then has. @throws the signal's reason */
  async #turn(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted()
    if (this.#runningCount < maxConcurrentPages) {
      this.#runningCount += 1
      return
    }
    await new Promise<void>((resolve, reject) => {
      const begin = (): void => {
        this.#waiting.delete(begin)
        signal?.removeEventListener('abort', abort)
        this.#runningCount += 1
        resolve()
      }
      const abort = (): void => {
        this.#waiting.delete(begin)
        reject(signal?.reason as Error)
      }
      this.#waiting.add(begin)
      signal?.addEventListener('abort', abort, { once: true })
    })
  }
}

function toPage(reply: unknown): Page {
  const [gap, epochBytes, topId, more, ...rest] = reply as [Buffer, Buffer, Buffer, number, ...Buffer[]]
  const epoch = epochBytes.toString()
  const entries: Entry[] = []
  for (let index = 0; index + 2 < rest.length; index += 3) {
    const [id, envelope, data] = rest.slice(index, index + 3) as [Buffer, Buffer, Buffer]
    entries.push({ epoch, ...parseEntryId(id.toString()), envelope, data })
  }
  return {
    gap: gap.length === 0 ? undefined : (gap.toString() as GapReason),
    entries,
    hasMore: more === 1,
    top: { epoch, ...parseEntryId(topId.toString()) },
  }
}
