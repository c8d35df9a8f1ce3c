import type { GapReason, Position } from '@sluice/core'
import { formatPosition, type ParsedPosition } from './position.ts'

/** A channel that is empty is forgotten after a day at the earliest; see `forget_channels` of the migrations. */
const forgottenAfterMs = 86_400_000

/** Clocks of a failed over server may differ; a position from further ahead than this is none of ours. */
const clockSlackMs = 60_000

/** What the database knows of a channel, as of one snapshot. */
export interface ChannelState {
  /** The server's clock, in milliseconds since the Unix epoch. */
  readonly nowMs: number
  /** `undefined` if the channel has had no event, or none for so long that it was forgotten. */
  readonly row:
    | {
        readonly generation: string
        readonly createdMs: number
        /** The last event that retention deleted; 0 if none was. */
        readonly floorOffset: number
        readonly floorAnchor: string
        readonly topOffset: number
        readonly topAnchor: string
      }
    | undefined
  /** The anchor of the event at the offset that was asked about, if it is kept. */
  readonly anchor: string | undefined
}

/** A row of `Statements.channelStates`. */
export interface ChannelStateRow {
  readonly now_ms: number
  readonly generation: string | null
  readonly created_ms: number
  readonly floor_offset: string
  readonly floor_anchor: string
  readonly top_offset: string
  readonly top_anchor: string
  readonly anchor: string | null
}

export function toChannelState(row: ChannelStateRow): ChannelState {
  return {
    nowMs: row.now_ms,
    row:
      row.generation === null
        ? undefined
        : {
            generation: row.generation,
            createdMs: row.created_ms,
            floorOffset: Number(row.floor_offset),
            floorAnchor: row.floor_anchor,
            topOffset: Number(row.top_offset),
            topAnchor: row.top_anchor,
          },
    anchor: row.anchor ?? undefined,
  }
}

/** Where the channel is now. */
export function topPosition(epoch: string, { nowMs, row }: ChannelState): Position {
  return formatPosition(
    row === undefined
      ? { epoch, generation: undefined, atMs: nowMs }
      : { epoch, generation: row.generation, offset: row.topOffset, anchor: row.topAnchor },
  )
}

/** Right before the oldest event that is kept. */
export function floorPosition(epoch: string, { nowMs, row }: ChannelState): Position {
  return formatPosition(
    row === undefined
      ? { epoch, generation: undefined, atMs: nowMs }
      : { epoch, generation: row.generation, offset: row.floorOffset, anchor: row.floorAnchor },
  )
}

/** Where in a channel's history someone goes on. */
export interface ResumePoint {
  /** The events after this offset are wanted. */
  readonly offset: number
  /** Set if events between the position that was asked for and `offset` are gone. */
  readonly gap: GapReason | undefined
}

/**
 * What a position means to a channel. `epoch`: another bus's, or no position at all. `trimmed`: what came after it was deleted.
 * `fork`: the event at the position is not the one that it was, so the history was replaced, as after a failover that lost its
 * tail. The anchor decides, since offsets are given out again.
 */
export function resumePoint(epoch: string, state: ChannelState, position: ParsedPosition | undefined): ResumePoint {
  const { row, nowMs, anchor } = state
  const offset = row?.floorOffset ?? 0
  if (position === undefined || position.epoch !== epoch) return { offset, gap: 'epoch' }
  if (position.generation === undefined) {
    if (position.atMs > nowMs + clockSlackMs) return { offset, gap: 'epoch' }
    // Had there been another generation meanwhile, this one were made after that was forgotten.
    const isFirst = (row?.createdMs ?? nowMs) < position.atMs + forgottenAfterMs
    return { offset, gap: isFirst && offset === 0 ? undefined : 'trimmed' }
  }
  if (row === undefined || row.generation !== position.generation) return { offset, gap: 'trimmed' }
  if (position.offset > row.topOffset) return { offset, gap: 'fork' }
  if (position.offset < row.floorOffset) return { offset, gap: 'trimmed' }
  const expected =
    position.offset === row.floorOffset ? row.floorAnchor : position.offset === row.topOffset ? row.topAnchor : anchor
  if (expected !== position.anchor) return { offset, gap: 'fork' }
  return { offset: position.offset, gap: undefined }
}
