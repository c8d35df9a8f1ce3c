import { type EndReason, isMeantForClient, releaseStream, toClientError } from '@sluice/core'
import type { GraphQLError } from 'graphql'
import type { SubscribePayload } from 'graphql-ws'
import type { ConnectedOperation, Connection } from './connection.ts'
import { completeMessage, errorMessage, internalErrorMessage } from './frames.ts'
import type { OperationRequest, OperationSettings, SocketContext } from './operation-settings.ts'

/**
 * One operation of one socket, from the client's `subscribe` message to its end.
 *
 * It puts itself into graphql-ws's table (`ctx.subscriptions`) as soon as it begins, where graphql-ws has only
 * reserved the id. So a `complete` message, and the close of the socket, reach this very operation at every
 * moment of its life, and it owns its id exactly as long as the table says so: when the client completes it
 * and uses the id again, the entry is another operation's, and this one neither sends nor removes anything.
 */
export class Operation implements OperationRequest, ConnectedOperation, AsyncIterable<never> {
  readonly ctx: SocketContext
  readonly id: string
  payload: SubscribePayload
  readonly connection: Connection
  readonly #settings: OperationSettings
  #phase: 'starting' | 'running' | 'ended' = 'starting'
  #isStreaming = false
  #wasRunning = false
  #streams: unknown[] | undefined
  #startIsOver: (() => void) | undefined
  #completion: Promise<void> | undefined

  constructor(
    connection: Connection,
    ctx: SocketContext,
    id: string,
    payload: SubscribePayload,
    settings: OperationSettings,
  ) {
    this.connection = connection
    this.ctx = ctx
    this.id = id
    this.payload = payload
    this.#settings = settings
    ctx.subscriptions[id] = this
    connection.add(this)
  }

  get ended(): boolean {
    return this.#phase === 'ended'
  }

  get isStreaming(): boolean {
    return this.#isStreaming && !this.ended
  }

  /** Starting it is over, one way or another: nothing is under way for it but what it holds. */
  started(): void {
    this.#startIsOver?.()
    this.#startIsOver = undefined
  }

  /** Hands over what has to be released at the end; if that was already, it is released now. */
  hold(stream: unknown): void {
    if (this.ended) void releaseStream(stream, this.#settings.executor)
    else (this.#streams ??= []).push(stream)
  }

  /** What was started has a result. `false` if nobody wants it any more. */
  run(isStreaming: boolean): boolean {
    this.#wasRunning = true
    if (this.ended) {
      this.#unawaited(this.#complete())
      return false
    }
    this.#phase = 'running'
    const { onNext, onError, onComplete } = this.#settings.hooks
    // A client can put a lot beside its query, and nobody asks for it any more.
    if (onNext === undefined && onError === undefined && onComplete === undefined) this.payload = { query: '' }
    this.#isStreaming = isStreaming
    return true
  }

  /** It came to its end: the client gets `complete`. */
  finish(): void {
    if (!this.#end('complete')) return
    if (this.#wasRunning && this.#settings.hooks.onComplete !== undefined) {
      this.#unawaited(this.#complete().then(() => this.#sendComplete()))
    } else {
      this.#sendComplete()
    }
  }

  /** The request was wrong: the client gets `error`. */
  refuse(errors: readonly GraphQLError[]): void {
    if (this.#end()) this.#unawaited(this.#sendErrors(errors))
  }

  /** Something failed: the client gets `error`, with what it may know of it. */
  fail(error: unknown): void {
    if (!isMeantForClient(error)) this.#settings.executor.reportError(error)
    if (this.#end()) this.#unawaited(this.#sendErrors([toClientError(error)]))
  }

  /** Nobody listens any more: the client completed it, or its socket is gone. Nothing is sent. */
  abandon(reason?: EndReason): void {
    if (!this.#end(reason)) return
    this.#leave()
    if (this.#wasRunning) this.#unawaited(this.#complete())
  }

  /**
   * graphql-ws calls it after it removed the operation from its table, for a `complete` message and when the
   * socket closes. Code of the application that calls it finds the operation still there, and the client is told.
   */
  async return(): Promise<IteratorReturnResult<undefined>> {
    if (this.#ownsId()) this.finish()
    else this.abandon()
    // graphql-ws promises that onDisconnect comes after every onComplete.
    await this.#completion
    return { done: true, value: undefined }
  }

  /** Nothing is read from it: graphql-ws recognises what it can `return()` by this method. */
  [Symbol.asyncIterator](): AsyncIterator<never> {
    return { next: () => Promise.resolve({ done: true, value: undefined }) }
  }

  #ownsId(): boolean {
    return this.ctx.subscriptions[this.id] === this
  }

  #end(reason?: EndReason): boolean {
    if (this.ended) return false
    if (this.#phase === 'starting') this.#startIsOver = this.connection.abandoned()
    this.#phase = 'ended'
    for (const stream of this.#streams ?? []) void releaseStream(stream, this.#settings.executor, reason)
    this.#streams = undefined
    return true
  }

  /** Gives the id back and says the last word about it, both in one go, if it is still this operation's. */
  #leave(message?: () => string, substitute: (id: string) => string = internalErrorMessage): void {
    if (this.#ownsId()) {
      const text = message && this.#encoded(message, substitute)
      delete this.ctx.subscriptions[this.id]
      if (text !== undefined) this.connection.writer.writeText(text)
    }
    this.connection.remove(this)
  }

  async #sendErrors(errors: readonly GraphQLError[]): Promise<void> {
    const { hooks, replacer, executor, sanitizeResult } = this.#settings
    // A sanitizer that fails has let nothing through.
    let sanitized: readonly GraphQLError[] = sanitizeResult === undefined ? errors : [toClientError(undefined)]
    let formatted: readonly unknown[] = sanitized
    try {
      if (sanitizeResult !== undefined) sanitized = sanitizeResult({ errors }).errors ?? sanitized
      formatted = sanitized
      formatted = (await hooks.onError?.(this.ctx, this.id, this.payload, sanitized)) || formatted
    } catch (error) {
      executor.reportError(error)
    }
    this.#leave(() => errorMessage(this.id, formatted, replacer))
    if (this.#wasRunning) await this.#complete()
  }

  #sendComplete(): void {
    this.#leave(() => completeMessage(this.id, this.#settings.replacer), completeMessage)
  }

  /**
   * The message, or its substitute if it cannot be encoded: extensions of an error can be anything, JSON or not, and
   * a replacer can throw. The client has to hear the last word all the same.
   */
  #encoded(message: () => string, substitute: (id: string) => string): string {
    try {
      return message()
    } catch (error) {
      this.#settings.executor.reportError(error)
      return substitute(this.id)
    }
  }

  /** Nobody waits for it, and what nobody catches ends the process. */
  #unawaited(work: Promise<void>): void {
    work.catch((error: unknown) => this.#settings.executor.reportError(error))
  }

  #complete(): Promise<void> {
    this.#completion = this.#callOnComplete()
    return this.#completion
  }

  async #callOnComplete(): Promise<void> {
    try {
      await this.#settings.hooks.onComplete?.(this.ctx, this.id, this.payload)
    } catch (error) {
      this.#settings.executor.reportError(error)
    }
  }
}
