import type { Position } from './event-bus.ts'

/**
 * What a position of the memory bus says. Offsets count the events of one channel from 1, so that a
 * position tells nobody how much happens on others.
 */
export interface ParsedPosition {
  /** Which bus: drawn at random for each. */
  readonly epoch: string
  /** Which record of the channel: one that was idle may be forgotten, and begins anew with another. */
  readonly generation: string
  /** The last event that is at or before this position; 0 is before the first. */
  readonly offset: number
}

const pattern = /^([0-9a-f]+)\.([0-9a-f]+)\.(\d{1,15})$/

/** Everything of a position but its offset, made once for each record of a channel. */
export function positionPrefix(epoch: string, generation: string): string {
  return `${epoch}.${generation}.`
}

/** The position at an offset; see {@link positionPrefix}. */
export function formatPosition(prefix: string, offset: number): Position {
  return `${prefix}${offset}` as Position
}

/** The parts of a position, or `undefined` if it is none of the memory bus's, whatever text it is. */
export function parsePosition(position: string): ParsedPosition | undefined {
  const match = pattern.exec(position)
  if (match === null) return undefined
  const [, epoch = '', generation = '', offset = ''] = match
  return { epoch, generation, offset: Number(offset) }
}
