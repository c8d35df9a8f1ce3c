import { Buffer } from 'node:buffer'
import fc from 'fast-check'

/** How long the pieces are into which bytes are cut, over and over. */
export const pieceLengths: fc.Arbitrary<number[]> = fc.array(fc.integer({ min: 1, max: 700 }), {
  minLength: 1,
  maxLength: 8,
})

/**
 * Hands over bytes in pieces, all in one buffer, which holds other bytes after each call: whoever keeps what he was handed
 * finds them there.
 */
export function pushInPieces(bytes: Buffer, lengths: readonly number[], push: (piece: Buffer) => void): void {
  const shared = Buffer.alloc(Math.max(...lengths))
  for (let offset = 0, turn = 0; offset < bytes.length; turn += 1) {
    const length = Math.min(lengths[turn % lengths.length] ?? 1, bytes.length - offset)
    bytes.copy(shared, 0, offset, offset + length)
    push(shared.subarray(0, length))
    shared.fill(0xff)
    offset += length
  }
}
