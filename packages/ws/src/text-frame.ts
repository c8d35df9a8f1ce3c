import type { Buffer } from 'node:buffer'

/** FIN, and the opcode of a text frame. */
const finalText = 0x81

/** How many bytes the header of an unmasked frame has. */
export function headerLengthOf(payloadLength: number): number {
  if (payloadLength < 126) return 2
  return payloadLength < 65_536 ? 4 : 10
}

/**
 * Writes the header of a whole text message, as a server sends it: one frame, not masked, not compressed.
 *
 * @param frame with room for the header at its beginning
 * @see https://www.rfc-editor.org/rfc/rfc6455#section-5.2
 */
export function writeHeader(frame: Buffer, payloadLength: number): void {
  frame[0] = finalText
  if (payloadLength < 126) {
    frame[1] = payloadLength
  } else if (payloadLength < 65_536) {
    frame[1] = 126
    frame.writeUInt16BE(payloadLength, 2)
  } else {
    frame[1] = 127
    frame.writeUIntBE(0, 2, 2) // a Buffer is not as long as six bytes can say
    frame.writeUIntBE(payloadLength, 4, 6)
  }
}
