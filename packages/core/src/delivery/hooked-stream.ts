import type { ExecutionResult } from 'graphql'
import { BaseResponseStream } from './base-response-stream.ts'
import { HookedSink } from './hooked-sink.ts'
import type { EndReason } from '../metrics.ts'
import { asMemberStream, type MemberStream } from './member-stream.ts'
import type { PushStream, ResponseSink, ResponseStream } from './response-stream.ts'
import type { ResultHooks } from './result-hooks.ts'

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
