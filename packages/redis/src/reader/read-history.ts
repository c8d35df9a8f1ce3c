import type { ChannelKey, GapReason, HistoryPage } from '@sluice/core'
import { type Cursor, formatPosition } from '../cursor.ts'
import type { Entry } from '../entry.ts'
import { decodeEvent } from '../envelope.ts'
import type { ChannelNames } from '../keys.ts'
import { cursorAtTop } from './page.ts'
import type { Pages } from './pages.ts'

export interface HistoryRequest {
  readonly pages: Pages
  readonly key: ChannelKey
  readonly names: ChannelNames
  readonly cursor: Cursor | undefined
  readonly limit: number
  readonly signal: AbortSignal
  readonly onError: (error: unknown) => void
}

/** At most `limit` events after a cursor, of as many pages of the stream as it takes. */
export async function readHistory({
  pages,
  key,
  names,
  cursor,
  limit,
  signal,
  onError,
}: HistoryRequest): Promise<HistoryPage> {
  const channel = Object.freeze({ tenantId: key.tenantId, name: key.name })
  const events: HistoryPage['events'][number][] = []
  let gap: GapReason | undefined
  let at = cursor
  for (let isFirst = true; ; isFirst = false) {
    const page = await pages.read(names, at, limit - events.length, signal)
    // Something was deleted while we read: that is for the next call to say, after what was read so far.
    if (!isFirst && page.gap !== undefined) return { events, position: formatPosition(at as Cursor), hasMore: true }
    gap ??= page.gap
    for (const entry of page.entries) {
      at = cursorAtTop(entry)
      const event = decode(channel, entry, onError)
      if (event !== undefined) events.push({ event, position: formatPosition(at) })
    }
    if (page.entries.length === 0) at = cursorAtTop(page.top)
    if (!page.hasMore || events.length >= limit) {
      const position = formatPosition(at as Cursor)
      return { events, position, hasMore: page.hasMore, ...(gap !== undefined && { gap }) }
    }
  }
}

/** What somebody else wrote into the stream is no event; it is reported. */
function decode(channel: ChannelKey, entry: Entry, onError: (error: unknown) => void) {
  try {
    return decodeEvent(channel, entry.envelope, entry.data)
  } catch (error) {
    onError(error)
    return undefined
  }
}
