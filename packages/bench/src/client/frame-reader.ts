import { Buffer } from 'node:buffer'

/** What arrives on a WebSocket. The buffers are valid during the call only. */
export interface FrameHandlers {
  text(message: Buffer): void
  binary(message: Buffer): void
  ping(data: Buffer): void
  close(code: number, reason: string): void
}

const NOTHING = Buffer.alloc(0)
const FIN = 0x80
const RESERVED = 0x70
const MASKED = 0x80

const Opcode = { CONTINUATION: 0, TEXT: 1, BINARY: 2, CLOSE: 8, PING: 9, PONG: 10 } as const

/**
 * Reads what a WebSocket server writes, without extensions, and with as little work as possible: a message that arrives
 * in one piece is not copied.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6455#section-5.2
 */
export class FrameReader {
  readonly #handlers: FrameHandlers
  /** The beginning of a frame whose end has not arrived. */
  #rest: Buffer = NOTHING
  /** The fragments of a message whose last one has not arrived, and what kind of message it is. */
  #fragments: Buffer[] = []
  #fragmentedOpcode: number | undefined

  constructor(handlers: FrameHandlers) {
    this.#handlers = handlers
  }

  /** Takes what arrived; it may be reused after the call. @throws Error if it is no WebSocket frame of a server */
  push(chunk: Buffer): void {
    const data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let offset = 0
    for (;;) {
      const size = this.#readFrame(data, offset)
      if (size === 0) break
      offset += size
    }
    this.#rest = offset === data.length ? NOTHING : Buffer.from(data.subarray(offset))
  }

  /** The size of the frame that was read, or 0 if it is not complete. */
  #readFrame(data: Buffer, offset: number): number {
    const available = data.length - offset
    if (available < 2) return 0
    const first = data[offset] as number
    const second = data[offset + 1] as number
    if ((first & RESERVED) !== 0) throw new Error('A frame uses an extension that was not agreed upon.')
    if ((second & MASKED) !== 0) throw new Error('A server masked a frame.')
    let length = second
    let headerSize = 2
    if (length === 126) {
      headerSize = 4
      if (available < headerSize) return 0
      length = data.readUInt16BE(offset + 2)
    } else if (length === 127) {
      headerSize = 10
      if (available < headerSize) return 0
      length = Number(data.readBigUInt64BE(offset + 2))
    }
    if (available < headerSize + length) return 0
    const payload = data.subarray(offset + headerSize, offset + headerSize + length)
    this.#take((first & FIN) !== 0, first & 0x0f, payload)
    return headerSize + length
  }

  #take(isLast: boolean, opcode: number, payload: Buffer): void {
    switch (opcode) {
      case Opcode.TEXT:
      case Opcode.BINARY:
        if (this.#fragmentedOpcode !== undefined) throw new Error('A message began within another.')
        if (isLast) return this.#emit(opcode, payload)
        this.#fragmentedOpcode = opcode
        this.#fragments.push(Buffer.from(payload))
        return
      case Opcode.CONTINUATION:
        return this.#continue(isLast, payload)
      case Opcode.PING:
        return this.#handlers.ping(payload)
      case Opcode.PONG:
        return
      case Opcode.CLOSE:
        return this.#handlers.close(payload.length < 2 ? 1005 : payload.readUInt16BE(0), payload.toString('utf8', 2))
      default:
        throw new Error(`A frame has the unknown opcode ${opcode}.`)
    }
  }

  #continue(isLast: boolean, payload: Buffer): void {
    const opcode = this.#fragmentedOpcode
    if (opcode === undefined) throw new Error('A fragment belongs to no message.')
    if (!isLast) {
      this.#fragments.push(Buffer.from(payload))
      return
    }
    const message = Buffer.concat([...this.#fragments, payload])
    this.#fragments = []
    this.#fragmentedOpcode = undefined
    this.#emit(opcode, message)
  }

  #emit(opcode: number, message: Buffer): void {
    if (opcode === Opcode.TEXT) this.#handlers.text(message)
    else this.#handlers.binary(message)
  }
}
