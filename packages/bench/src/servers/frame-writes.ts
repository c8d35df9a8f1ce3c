import { Buffer } from 'node:buffer'
import type { Socket } from 'node:net'
import { nextMessagePrefix } from '@sluice/core'

/** As long as the id of the clients' operations is. */
const prefixLength = nextMessagePrefix('1').length

/** Of a frame with more payload than 125 and less than 65,536 bytes. */
const headerLength = 4

/** Writes what comes as one buffer as two: header and prefix, and the bytes that are the same for all. */
export function splitFrames(socket: Socket): void {
  const write = writeOf(socket)
  socket.write = (bytes: Uint8Array | string, ...rest: unknown[]) => {
    const length = headerLength + prefixLength
    if (typeof bytes === 'string' || bytes.length <= length) return write(bytes, ...rest)
    write(bytes.subarray(0, length))
    return write(bytes.subarray(length), ...rest)
  }
}

/** Writes what comes as two buffers as one, which is a copy: the header of a frame, and its payload. */
export function joinFrames(socket: Socket): void {
  const write = writeOf(socket)
  let head: Uint8Array | undefined
  socket.write = (bytes: Uint8Array | string, ...rest: unknown[]) => {
    // Text that follows no header is that of HTTP.
    if (head === undefined && typeof bytes === 'string') return write(bytes, ...rest)
    const payload = typeof bytes === 'string' ? Buffer.from(bytes) : bytes
    const frame = head === undefined ? payload : Buffer.concat([head, payload])
    const isWhole = frame.length >= frameLength(frame)
    head = isWhole ? undefined : frame
    return isWhole ? write(frame, ...rest) : !socket.writableNeedDrain
  }
}

/** How long an unmasked frame is, with its header, by what its first bytes say. */
function frameLength(frame: Uint8Array): number {
  const [, length = 0, high = 0, low = 0] = frame
  if (length < 126) return 2 + length
  if (length === 126) return headerLength + high * 256 + low
  throw new Error('No message of the benchmark is as long.')
}

type Write = (bytes: Uint8Array | string, ...rest: unknown[]) => boolean

function writeOf(socket: Socket): Write {
  return socket.write.bind(socket) as Write
}
