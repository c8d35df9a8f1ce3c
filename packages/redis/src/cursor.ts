import type { Position } from '@sluice/core'

/** The id of an entry in a channel's stream, `<ms>-<offset>`: the server's clock, and a count from 1 without holes. */
export interface EntryId {
  readonly ms: number
  readonly offset: number
}

/**
 * A place in a channel's history that can be checked: it names an entry, its anchor, and not a number only. After a
 * failover that lost its tail the offsets are given out again, in the same epoch; the anchor tells.
 */
export interface Cursor extends EntryId {
  /** Which history: drawn at random when a channel's record is made. */
  readonly epoch: string
  /** Whether it is before its anchor. After it, unless a gap left nothing that could be named. */
  readonly isBefore: boolean
}

/** A cursor that is in no history: whoever goes on from it is told that the epoch is another. */
export const nowhere: Cursor = Object.freeze({ epoch: '-', ms: 0, offset: 0, isBefore: false })

/** The offset of the last entry that is at or before a cursor; 0 is before the first. */
export function lastOffset(cursor: Cursor): number {
  return cursor.isBefore ? cursor.offset - 1 : cursor.offset
}

/** Whether two cursors are the same place of the same history. */
export function isSamePlace(a: Cursor, b: Cursor): boolean {
  return a.epoch === b.epoch && a.ms === b.ms && a.offset === b.offset && a.isBefore === b.isBefore
}

/** The cursor as it is handed out. It says nothing about other channels, and carries no authority. */
export function formatPosition({ epoch, ms, offset, isBefore }: Cursor): Position {
  return `${epoch}.${isBefore ? '~' : ''}${ms}-${offset}` as Position
}

const pattern = /^([0-9a-f]{1,64})\.(~?)(\d{1,15})-(\d{1,15})$/

/** The cursor of a position, or {@link nowhere} for any text that is none. */
export function parsePosition(position: string): Cursor {
  const match = pattern.exec(position)
  if (match === null) return nowhere
  const [, epoch = '', before, ms, offset] = match
  const isBefore = before === '~'
  if (isBefore && Number(offset) === 0) return nowhere
  return { epoch, ms: Number(ms), offset: Number(offset), isBefore }
}

/** An entry's id from how Redis writes it. */
export function parseEntryId(id: string): EntryId {
  const dash = id.indexOf('-')
  return { ms: Number(id.slice(0, dash)), offset: Number(id.slice(dash + 1)) }
}
