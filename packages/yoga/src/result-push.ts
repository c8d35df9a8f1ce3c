import type { EncodedResponse, PushStream, ResponseSink } from '@sluice/core'

/** Who is given the responses of a stream. */
export interface ResponseReader {
  /** Whether it takes a response now. When that changes, it calls {@link ResultPush.pull}. */
  isReady(): boolean
  /** In the hot path. */
  nextResponse(response: EncodedResponse): void
  /** The stream came to its end. */
  complete(): void
  /** What the stream ended with. */
  error(error: unknown): void
}

/** Has the responses of a stream pushed as long as its reader is ready. What comes meanwhile waits in the stream. */
export class ResultPush implements ResponseSink {
  readonly #stream: PushStream
  readonly #reader: ResponseReader
  #isPushed = false

  constructor(stream: PushStream, reader: ResponseReader) {
    this.#stream = stream
    this.#reader = reader
  }

  pull(): void {
    if (this.#isPushed || !this.#reader.isReady()) return
    this.#isPushed = true
    this.#stream.pushTo(this)
  }

  next(response: EncodedResponse): void {
    this.#reader.nextResponse(response)
    if (this.#reader.isReady()) return
    this.#isPushed = false
    this.#stream.pause()
  }

  complete(): void {
    this.#reader.complete()
  }

  error(error: unknown): void {
    this.#reader.error(error)
  }
}
