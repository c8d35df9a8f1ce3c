import type { GapReason } from '@sluice/core'
import type { Commands } from '../connection/commands.ts'
import { type Cursor, parseEntryId } from '../cursor.ts'
import type { Entry } from '../entry.ts'
import type { ChannelNames } from '../keys.ts'
import { newEpoch } from '../publisher.ts'
import { rangeScript } from '../scripts/range-script.ts'
import type { Page } from './page.ts'
import { Turns } from './turns.ts'

/** Entries and bytes of a page at most (a page that is over the bytes ends within the next 16 entries; a first one that is over them is alone). */
const maxPageCount = 256
const maxPageBytes = 1_048_576

/** Pages that are read of one server at a time: after a reconnect every channel may want some. */
const maxConcurrentPages = 16

/**
 * Reads pages of streams, some at a time, in the order of asking. In a cluster each server has its own queue: who asks one that is gone
 * waits, and nobody else for it.
 */
export class Pages {
  readonly #commands: Commands
  readonly #recordTtlMs: number
  /** By the server, while anybody reads there. */
  readonly #turns = new Map<string, Turns>()

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
    { meta, stream, partition }: ChannelNames,
    cursor: Cursor | undefined,
    limit: number = maxPageCount,
    signal?: AbortSignal,
  ): Promise<Page> {
    const server = this.#commands.ownerOf(partition) ?? ''
    const turns = this.#turns.get(server) ?? new Turns(maxConcurrentPages)
    this.#turns.set(server, turns)
    await turns.take(signal)
    try {
      const from =
        cursor === undefined ? ['', 0, 0, 0] : [cursor.epoch, cursor.ms, cursor.offset, cursor.isBefore ? 1 : 0]
      const args = [newEpoch(), this.#recordTtlMs, ...from, limit, maxPageBytes]
      return toPage(await this.#commands.runUntilDone(rangeScript, [meta, stream], args, signal))
    } finally {
      turns.giveBack()
      if (turns.isIdle && this.#turns.get(server) === turns) this.#turns.delete(server)
    }
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
