import type { Buffer } from 'node:buffer'
import { type EncodedResponse, nextMessageFormat, nextMessagePrefix, type ResponseSink } from '@sluice/core'
import type { Operation } from './operation.ts'
import type { OperationSettings } from './operation-settings.ts'
import type { SocketWriter } from './socket-writer.ts'

/**
 * Where the executor pushes the responses of one subscription: prefix and shared bytes, straight to the socket.
 * This is the hot path. It runs once per subscriber and event, and makes nothing but the frame.
 */
export class SocketSink implements ResponseSink {
  readonly #operation: Operation
  readonly #settings: OperationSettings
  readonly #writer: SocketWriter
  readonly #prefix: Buffer
  #missedSome = false

  constructor(operation: Operation, settings: OperationSettings) {
    this.#operation = operation
    this.#settings = settings
    this.#writer = operation.connection.writer
    this.#prefix = nextMessagePrefix(operation.id)
  }

  next(response: EncodedResponse): void {
    // The frame that finds the socket full is the one too many: a single large one to a reader who has read
    // everything before is none.
    if (this.#writer.isFull()) return this.#overflow()
    this.#writer.write(this.#prefix, this.#prepare(response).framed(nextMessageFormat))
  }

  complete(): void {
    this.#operation.finish()
  }

  error(error: unknown): void {
    this.#operation.fail(error)
  }

  #prepare(response: EncodedResponse): EncodedResponse {
    const { sanitizeResult } = this.#settings
    const sanitized = sanitizeResult === undefined ? response : response.masked(sanitizeResult)
    if (!this.#missedSome) return sanitized
    this.#missedSome = false
    return sanitized.withGap('overflow')
  }

  /** What is on its way to the socket cannot be taken back, so both dropping policies drop what is new. */
  #overflow(): void {
    const { executor } = this.#settings
    if (executor.overflow.policy === 'disconnect') {
      this.#operation.connection.disconnectSlowConsumer()
    } else {
      this.#missedSome = true
      executor.recordDropped(1)
    }
  }
}
