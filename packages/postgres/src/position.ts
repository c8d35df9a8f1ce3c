import type { Position } from '@sluice/core'

/**
 * What a position of the Postgres bus says. It tells nobody how much happens on other channels: offsets count the
 * events of one channel, everything else is random or a time.
 */
export type ParsedPosition =
  | {
      readonly epoch: string
      readonly generation: string
      /** The last event that is at or before it. */
      readonly offset: number
      /** Drawn at random for that event: the same anchor is the same event, after a failover too. */
      readonly anchor: string
    }
  | {
      readonly epoch: string
      /** The channel had no event yet, or had none for so long that it was forgotten. */
      readonly generation: undefined
      /** When that was, by the server's clock, in milliseconds since the Unix epoch. */
      readonly atMs: number
    }

const pattern = /^([0-9a-f]{32})\.(\d{1,19})\.(\d{1,15})\.(\d{1,19})$/

export function formatPosition(position: ParsedPosition): Position {
  const { epoch } = position
  return (
    position.generation === undefined
      ? `${epoch}.0.${Math.floor(position.atMs)}.0`
      : `${epoch}.${position.generation}.${position.offset}.${position.anchor}`
  ) as Position
}

/** The parts of a position, or `undefined` if it is none of this bus's, whatever text it is. */
export function parsePosition(text: string): ParsedPosition | undefined {
  if (text.length > 128) return undefined
  const match = pattern.exec(text)
  if (match === null) return undefined
  const [, epoch = '', generation = '', offset = '', anchor = ''] = match
  if (generation === '0') return { epoch, generation: undefined, atMs: Number(offset) }
  return { epoch, generation, offset: Number(offset), anchor }
}
