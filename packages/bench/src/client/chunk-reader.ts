import { Buffer } from 'node:buffer'

const NOTHING = Buffer.alloc(0)
const CRLF = '\r\n'
/** More digits than a chunk can have bytes. */
const MAX_SIZE_LINE_LENGTH = 1024

/**
 * Reads a body with `Transfer-Encoding: chunked`.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-7.1
 */
export class ChunkReader {
  readonly #onData: (data: Buffer) => void
  readonly #onEnd: () => void
  #rest: Buffer = NOTHING

  /** @param onData is given buffers that are valid during the call only */
  constructor(onData: (data: Buffer) => void, onEnd: () => void) {
    this.#onData = onData
    this.#onEnd = onEnd
  }

  /** Takes what arrived; it may be reused after the call. @throws Error if it is not chunked */
  push(bytes: Buffer): void {
    const data = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    let offset = 0
    for (;;) {
      const size = this.#readChunk(data, offset)
      if (size === 0) break
      offset += size
    }
    this.#rest = offset === data.length ? NOTHING : Buffer.from(data.subarray(offset))
  }

  /** The size of the chunk that was read, with what is around it, or 0 if it is not complete. */
  #readChunk(data: Buffer, offset: number): number {
    const lineEnd = data.indexOf(CRLF, offset)
    if (lineEnd === -1) {
      if (data.length - offset > MAX_SIZE_LINE_LENGTH) throw new Error('The size of a chunk does not end.')
      return 0
    }
    const line = data.toString('latin1', offset, lineEnd)
    const length = Number.parseInt(line, 16)
    if (Number.isNaN(length)) throw new Error(`"${line}" is no size of a chunk.`)
    const start = lineEnd + CRLF.length
    const end = start + length
    if (data.length < end + CRLF.length) return 0
    if (length === 0) this.#onEnd()
    else this.#onData(data.subarray(start, end))
    return end + CRLF.length - offset
  }
}
