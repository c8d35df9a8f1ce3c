import { Buffer } from 'node:buffer'

const MASK_KEY_SIZE = 4

/** A whole text message as a client sends it, masked with a key of zeros. */
export function textFrame(text: string): Buffer {
  return frame(0x81, Buffer.from(text))
}

/** The answer to a ping. */
export function pongFrame(data: Buffer): Buffer {
  return frame(0x8a, data)
}

function frame(first: number, payload: Buffer): Buffer {
  const { length } = payload
  if (length > 0xffff) throw new RangeError(`A message of ${length} bytes is more than a client here sends.`)
  const header = length < 126 ? Buffer.from([first, 0x80 | length]) : Buffer.from([first, 0x80 | 126, 0, 0])
  if (length >= 126) header.writeUInt16BE(length, 2)
  return Buffer.concat([header, Buffer.alloc(MASK_KEY_SIZE), payload])
}
