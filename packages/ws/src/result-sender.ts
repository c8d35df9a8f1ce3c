import type { Buffer } from 'node:buffer'
import { formatErrors, nextMessageFormat, nextMessagePrefix, rememberedResponse } from '@sluice/core'
import type { ExecutionArgs, ExecutionResult } from 'graphql'
import { nextMessage } from './frames.ts'
import type { Operation } from './operation.ts'
import type { OperationSettings } from './operation-settings.ts'

/** Sends results that are objects: single ones, and those of streams that somebody wrapped. */
export class ResultSender {
  readonly #operation: Operation
  readonly #args: ExecutionArgs | undefined
  readonly #settings: OperationSettings
  #prefix: Buffer | undefined

  constructor(operation: Operation, args: ExecutionArgs | undefined, settings: OperationSettings) {
    this.#operation = operation
    this.#args = args
    this.#settings = settings
  }

  /** @throws what `onNext` throws, and TypeError if JSON cannot hold the result */
  async send(result: ExecutionResult): Promise<void> {
    const { ctx, id, payload, connection } = this.#operation
    const { hooks, replacer } = this.#settings
    if (hooks.onNext === undefined && replacer === undefined) return this.#sendBytes(result)
    // The hook is shown what the client may see, so that what it makes of it may be seen as well.
    const sanitized = this.#sanitize(result)
    const replaced = this.#args && (await hooks.onNext?.(ctx, id, payload, this.#args, sanitized))
    if (this.#operation.ended) return
    connection.writer.writeText(nextMessage(id, replaced || formatErrors(sanitized), replacer))
  }

  #sendBytes(result: ExecutionResult): void {
    const { id, connection, ended } = this.#operation
    if (ended) return
    const response = rememberedResponse(result)
    if (response === undefined) {
      connection.writer.writeText(nextMessage(id, formatErrors(this.#sanitize(result))))
    } else {
      this.#prefix ??= nextMessagePrefix(id)
      connection.writer.write(this.#prefix, response.framed(nextMessageFormat))
    }
  }

  #sanitize(result: ExecutionResult): ExecutionResult {
    const { sanitizeResult } = this.#settings
    return sanitizeResult === undefined ? result : sanitizeResult(result)
  }
}
