import type { GapReason } from '@sluice/core'
import type { Cursor, EntryId } from '../cursor.ts'
import type { Entry } from '../entry.ts'

/** The newest place of a channel. */
export interface Top extends EntryId {
  readonly epoch: string
}

/** A part of a channel's stream after a cursor. */
export interface Page {
  /** Set if what comes between the cursor and the first entry is lost. */
  readonly gap: GapReason | undefined
  /** Oldest first, all of the top's epoch. */
  readonly entries: readonly Entry[]
  readonly hasMore: boolean
  /** Where the channel was when the page was read. */
  readonly top: Top
}

/** The cursor at a top. */
export function cursorAtTop({ epoch, ms, offset }: Top): Cursor {
  return { epoch, ms, offset, isBefore: false }
}
