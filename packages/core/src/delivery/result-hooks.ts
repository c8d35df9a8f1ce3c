import type { ExecutionResult } from 'graphql'
import { BaseResponseStream } from './base-response-stream.ts'
import { isPromise, type MaybePromise } from '../maybe-promise.ts'
import type { EndReason } from '../metrics.ts'
import { type EncodedResponse, rememberedResponse } from './encoded-response.ts'
import { asMemberStream, type MemberStream } from './member-stream.ts'
import type { PushStream, ResponseSink, ResponseStream } from './response-stream.ts'

/** What the plugins of a host do with the results of one subscription. */
export interface ResultHooks {
  /**
   * Gives the result as its subscriber is to have it: this one, or another. What it throws ends the stream. Absent: nobody
   * wants to see results.
   */
  readonly onResult?: ((result: ExecutionResult) => MaybePromise<ExecutionResult>) | undefined
  /** The stream came to its end, or nobody reads it any more. Called once at most. */
  onEnd(): void
  /** Gives what the reader is told instead of this error. */
  onError(error: unknown): unknown
}

/**
 * The stream with hooks between it and its reader. One that can be pushed still can: its hooks are called per subscriber
 * and result all the same, but without a promise, and what they leave as it is goes out as the bytes that all share.
 */
export function withResultHooks(stream: AsyncIterable<ExecutionResult>, hooks: ResultHooks): ResponseStream {
  const member = asMemberStream(stream)
  return member === undefined ? new HookedStream(stream, hooks) : new HookedPushStream(member, hooks)
}

const done: IteratorReturnResult<undefined> = { done: true, value: undefined }

/** Hooks on a stream that is pulled. Each pull is one of the stream's, in the order of the pulls. */
class HookedStream extends BaseResponseStream {
  protected readonly hooks: ResultHooks
  readonly #source: AsyncIterator<ExecutionResult, unknown>
  #hasEnded = false

  constructor(source: AsyncIterable<ExecutionResult>, hooks: ResultHooks) {
    super()
    this.#source = source[Symbol.asyncIterator]()
    this.hooks = hooks
  }

  override async next(): Promise<IteratorResult<ExecutionResult, undefined>> {
    try {
      const { done: isDone, value } = await this.#source.next()
      if (isDone !== true) return { done: false, value: await this.#hooked(value) }
      this.end()
    } catch (error) {
      throw this.hooks.onError(error)
    }
    return done
  }

  /** Whatever a hook does, the stream is released. */
  override async return(): Promise<IteratorResult<ExecutionResult, undefined>> {
    const released = this.#source.return?.()
    try {
      this.end()
    } finally {
      await released
    }
    return done
  }

  /** Tells the hooks, once, that it is over. */
  protected end(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.hooks.onEnd()
  }

  /** A result that its hooks refuse is the last one. */
  async #hooked(result: ExecutionResult): Promise<ExecutionResult> {
    try {
      return this.hooks.onResult === undefined ? result : await this.hooks.onResult(result)
    } catch (error) {
      // What it throws while it is released is less than why it is.
      await this.#source.return?.().then(undefined, () => {})
      throw error
    }
  }
}

/** Hooks on a stream of the executor. */
class HookedPushStream extends HookedStream implements PushStream {
  readonly member: MemberStream
  readonly #sink: HookedSink
  #failure: { readonly error: unknown } | undefined

  constructor(member: MemberStream, hooks: ResultHooks) {
    super(member, hooks)
    this.member = member
    this.#sink = new HookedSink(member, hooks, () => this.end())
  }

  override next(): Promise<IteratorResult<ExecutionResult, undefined>> {
    if (this.#failure === undefined) return super.next()
    const { error } = this.#failure
    this.#failure = undefined
    return Promise.reject(error)
  }

  /** Who pulls next hears of this failure, of which the sink that was pushed to has heard. */
  rejectNext(error: unknown): void {
    this.#failure = { error }
  }

  /** @param onFailure hears of a failure in place of the sink */
  pushTo(sink: ResponseSink, onFailure?: (error: unknown) => void): void {
    this.#sink.open(sink, onFailure)
  }

  pause(): void {
    this.#sink.pause()
  }

  abandon(reason: EndReason): void {
    this.member.abandon(reason)
    this.end()
  }
}

/**
 * Hooks between a member of a group and the transport that it pushes to. In the hot path. Whoever pushes has others to
 * serve: what a hook throws goes to the transport, and to nobody else.
 */
class HookedSink implements ResponseSink {
  readonly #member: MemberStream
  readonly #hooks: ResultHooks
  readonly #onEnd: () => void
  /** The transport's; absent while that takes no more. */
  #sink: ResponseSink | undefined
  #onFailure: ((error: unknown) => void) | undefined
  /** A hook is asynchronous, and what it makes of a response is awaited. */
  #isAwaiting = false
  /** The transport has been told the last word: a hook may have ended its own subscription. */
  #isOver = false
  /** What a hook has made of a response, and how it failed, while the transport took no more. */
  #held: EncodedResponse | undefined
  #failure: { readonly error: unknown } | undefined

  constructor(member: MemberStream, hooks: ResultHooks, onEnd: () => void) {
    this.#member = member
    this.#hooks = hooks
    this.#onEnd = onEnd
  }

  open(sink: ResponseSink, onFailure?: (error: unknown) => void): void {
    this.#sink = sink
    this.#onFailure = onFailure
    this.#goOn()
  }

  pause(): void {
    this.#sink = undefined
    this.#member.pause()
  }

  next(response: EncodedResponse): void {
    const { onResult } = this.#hooks
    if (onResult === undefined) return this.#sink?.next(response)
    try {
      const hooked = onResult(this.#member.resultOf(response))
      if (isPromise(hooked)) this.#await(response, hooked)
      else if (!this.#isOver && !this.#member.isAbandoned) this.#sink?.next(encoded(hooked, response))
    } catch (error) {
      this.#fail(error)
    }
  }

  complete(): void {
    if (this.#isOver) return
    try {
      this.#onEnd()
    } catch (error) {
      return this.error(error)
    }
    this.#isOver = true
    this.#sink?.complete()
  }

  error(error: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    const told = this.#hooked(error)
    if (this.#onFailure === undefined) this.#sink?.error(told)
    else this.#onFailure(told)
  }

  /** What hooks make of an error; one that throws has made something of it as well. */
  #hooked(error: unknown): unknown {
    try {
      return this.#hooks.onError(error)
    } catch (thrown) {
      return thrown
    }
  }

  /** What comes meanwhile waits in the member's own queue, within its bounds. */
  #await(response: EncodedResponse, hooked: PromiseLike<ExecutionResult>): void {
    this.#isAwaiting = true
    this.#member.pause()
    hooked
      .then((result) => {
        this.#isAwaiting = false
        this.#held = encoded(result, response)
        this.#goOn()
      })
      .then(undefined, (error: unknown) => this.#fail(error))
  }

  /** Unless something is awaited: first what is held, then what the member has. */
  #goOn(): void {
    if (this.#failure !== undefined) return this.#tellFailure()
    if (this.#isAwaiting || this.#isOver || this.#member.isAbandoned) return
    const held = this.#held
    if (held !== undefined && this.#sink !== undefined) {
      this.#held = undefined
      this.#sink.next(held)
    }
    // It may have had enough with that.
    if (this.#sink !== undefined) this.#member.pushTo(this)
  }

  /** A result that its hooks refuse is the last one. */
  #fail(error: unknown): void {
    if (this.#member.isAbandoned) return
    this.#member.abandon('client')
    this.#failure = { error }
    this.#tellFailure()
  }

  #tellFailure(): void {
    if (this.#failure === undefined || this.#sink === undefined) return
    const { error } = this.#failure
    this.#failure = undefined
    this.error(error)
  }
}

/** The bytes that all share if a result is still what was given for the response; else bytes of its own. */
function encoded(result: ExecutionResult, response: EncodedResponse): EncodedResponse {
  return rememberedResponse(result) ?? response.replacedBy(result)
}

/**
 * A stream with hooks that its host has wrapped once more, only to give a failure of it as a last result. Results need
 * not go through that: they are pushed past it.
 *
 * @param wrapped what the host made of the stream, and nobody has pulled
 * @returns the stream to push from, or `wrapped` if the stream cannot be pushed
 */
export function pushPast(
  wrapped: AsyncIterable<ExecutionResult>,
  stream: AsyncIterable<ExecutionResult>,
): AsyncIterable<ExecutionResult> {
  return stream instanceof HookedPushStream ? new ShortcutStream(wrapped, stream) : wrapped
}

class ShortcutStream extends HookedStream implements PushStream {
  readonly #wrapped: AsyncIterator<ExecutionResult, unknown>
  readonly #stream: HookedPushStream

  constructor(wrapped: AsyncIterable<ExecutionResult>, stream: HookedPushStream) {
    const iterator = wrapped[Symbol.asyncIterator]()
    super({ [Symbol.asyncIterator]: () => iterator }, { onEnd: () => {}, onError: (error) => error })
    this.#wrapped = iterator
    this.#stream = stream
  }

  pushTo(sink: ResponseSink): void {
    this.#stream.pushTo(sink, (error) => void this.#tellFailure(error, sink))
  }

  pause(): void {
    this.#stream.pause()
  }

  abandon(reason: EndReason): void {
    this.#stream.abandon(reason)
  }

  /** What the host makes of the failure goes to the sink. */
  async #tellFailure(failure: unknown, sink: ResponseSink): Promise<void> {
    const { member } = this.#stream
    this.#stream.rejectNext(failure)
    try {
      for (;;) {
        const { done: isDone, value } = await this.#wrapped.next()
        if (isDone === true) return sink.complete()
        sink.next(member.responseOf(value))
      }
    } catch (error) {
      sink.error(error)
    }
  }
}

/**
 * The stream, if it is one that the executor gave, with hooks or without, and can push. A stream that a host or a plugin
 * wrapped otherwise is another one: it has to be pulled, since who wrapped it wants to see every result.
 */
export function asPushStream(value: unknown): PushStream | undefined {
  return value instanceof HookedPushStream || value instanceof ShortcutStream ? value : asMemberStream(value)
}
