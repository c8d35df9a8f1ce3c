import type { EntryId } from './cursor.ts'

/** One entry of a channel's stream, not yet decoded: an event that is dropped as a duplicate costs nothing. */
export interface Entry extends EntryId {
  readonly epoch: string
  readonly envelope: Uint8Array
  readonly data: Uint8Array
}

/** An entry as it comes over the wire, live. */
export interface Frame extends Entry {
  /** The time of the entry before it: what makes each frame an anchor check of its own. */
  readonly previousMs: number
}

/** About what a kept frame costs. */
export function frameBytes({ envelope, data }: Frame): number {
  return envelope.byteLength + data.byteLength + 256
}

const lineFeed = 0x0a
const header = /^([0-9a-f]{1,64}) (\d{1,15})-(\d{1,15}) (\d{1,15}) (\d{1,10})$/

/**
 * A frame from the payload of a pub/sub message, `<epoch> <ms>-<offset> <previousMs> <bytes of envelope>\n<envelope><data>`;
 * `undefined` for anything else that somebody may have published there.
 */
export function parseFrame(payload: Buffer): Frame | undefined {
  const end = payload.indexOf(lineFeed)
  // A header has about 70 characters: what has its first line feed far behind is none.
  if (end < 0 || end > 160) return undefined
  const match = header.exec(payload.toString('latin1', 0, end))
  if (match === null) return undefined
  const [, epoch = '', ms, offset, previousMs, envelopeBytes] = match
  const dataStart = end + 1 + Number(envelopeBytes)
  if (dataStart > payload.byteLength) return undefined
  return {
    epoch,
    ms: Number(ms),
    offset: Number(offset),
    previousMs: Number(previousMs),
    envelope: payload.subarray(end + 1, dataStart),
    data: payload.subarray(dataStart),
  }
}
