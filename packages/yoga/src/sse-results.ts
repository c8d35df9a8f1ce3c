import { asPushStream, type EncodedResponse } from '@sluice/core'
import { comment, completeEvent, internalErrorEvent, nextEvent, nextEventFormat } from '@sluice/sse'
import type { ExecutionResult } from 'graphql'
import { ResultPull, type ResultReader } from './result-pull.ts'
import { type ResponseReader, ResultPush } from './result-push.ts'
import { sanitizeResult } from './sanitize-result.ts'

/** Who takes care of a body while it is open. */
export interface SseBodyHooks {
  /** Calls the function from time to time, so that a connection without events stays open; returns what stops it. */
  startHeartbeat(beat: () => void): () => void
  /** Is given what ends the body, for when the client has gone: nobody may be reading by then, nor cancel. */
  whenGone(leave: () => Promise<void>): void
  /** The stream of results failed, or a result that JSON cannot hold. */
  onError(error: unknown): void
  /** The client has taken nothing for two heartbeats, although something waits for it: it is gone, or as good as. */
  onStalled(): void
  /** Nothing more is written: the results came to their end, or they failed, or the client has gone. Called once. */
  onEnd(isComplete: boolean): void
}

/** Where the events are written to. */
export interface SseOutlet {
  /** @returns whether its reader has taken it and waits for more; if not, `resume` is called when it does. */
  write(event: Uint8Array): boolean
  /** Nothing follows. It may have been closed already, by its reader too. */
  close(): void
}

/**
 * The results of a subscription as server-sent events, pulled only as fast as the client reads. Where a result is
 * still what its group was given, its bytes are the ones that all subscribers share.
 */
export class SseResults implements ResultReader, ResponseReader {
  readonly #outlet: SseOutlet
  readonly #hooks: SseBodyHooks
  readonly #iterator: AsyncIterator<ExecutionResult, unknown>
  readonly #pull: ResultPull | ResultPush
  #stopHeartbeat = (): void => {}
  #unreadBeatCount = 0
  /** The reader has taken everything and waits for more. */
  #isAwaited = false
  #isOver = false

  constructor(results: AsyncIterable<ExecutionResult>, outlet: SseOutlet, hooks: SseBodyHooks) {
    this.#iterator = results[Symbol.asyncIterator]()
    const pushed = asPushStream(results)
    this.#pull = pushed === undefined ? new ResultPull(this.#iterator, this) : new ResultPush(pushed, this)
    this.#outlet = outlet
    this.#hooks = hooks
    hooks.whenGone(() => this.leave())
  }

  /** Somebody begins to read. */
  start(): void {
    if (this.#isOver) return this.#outlet.close()
    this.#write(comment) // some browsers do not tell of a response before its body begins
    this.#stopHeartbeat = this.#hooks.startHeartbeat(() => this.#beat())
    this.#pull.pull()
  }

  /** The reader waits for more. */
  resume(): void {
    this.#isAwaited = true
    this.#unreadBeatCount = 0
    this.#pull.pull()
  }

  /** The client has gone. Resolves when the stream of results has released itself; it is told at once. */
  async leave(): Promise<void> {
    if (this.#isOver) return
    this.#end(false)
    this.#outlet.close()
    await this.#release()
  }

  isReady(): boolean {
    return this.#isAwaited && !this.#isOver
  }

  /** In the hot path: once per subscriber and event. */
  next(result: ExecutionResult): void {
    if (!this.#isOver) this.#write(this.#encode(result))
  }

  /** In the hot path: once per subscriber and event. */
  nextResponse(response: EncodedResponse): void {
    if (!this.#isOver) this.#write(response.masked(sanitizeResult).framed(nextEventFormat))
  }

  complete(): void {
    if (!this.#isOver) this.#finish(true)
  }

  error(error: unknown): void {
    this.#hooks.onError(error)
    if (this.#isOver) return
    this.#outlet.write(internalErrorEvent)
    void this.#release()
    this.#finish(false)
  }

  #beat(): void {
    if (this.#isAwaited) {
      this.#unreadBeatCount = 0
      this.#write(comment)
      return
    }
    this.#unreadBeatCount += 1
    if (this.#unreadBeatCount >= 2) this.#hooks.onStalled()
  }

  /** A result that cannot be written is no reason to end: the client is told of it, and of those that follow. */
  #encode(result: ExecutionResult): Uint8Array {
    try {
      return nextEvent(result, sanitizeResult)
    } catch (error) {
      this.#hooks.onError(error)
      return internalErrorEvent
    }
  }

  #write(event: Uint8Array): void {
    this.#isAwaited = false
    if (this.#outlet.write(event)) this.#isAwaited = true // else it may be so by now, or will be
  }

  #finish(isComplete: boolean): void {
    this.#outlet.write(completeEvent)
    this.#outlet.close()
    this.#end(isComplete)
  }

  #end(isComplete: boolean): void {
    this.#isOver = true
    this.#stopHeartbeat()
    this.#hooks.onEnd(isComplete)
  }

  async #release(): Promise<void> {
    try {
      await this.#iterator.return?.()
    } catch (error) {
      this.#hooks.onError(error)
    }
  }
}
