import type { ExecutionResult } from 'graphql'
import { isPromise } from '../maybe-promise.ts'
import { type EncodedResponse, rememberedResponse } from './encoded-response.ts'
import type { MemberStream } from './member-stream.ts'
import type { ResponseSink } from './response-stream.ts'
import type { ResultHooks } from './result-hooks.ts'

/**
 * Hooks between a member of a group and the transport that it pushes to. In the hot path. Whoever pushes has others to
 * serve: what a hook throws goes to the transport, and to nobody else.
 */
export class HookedSink implements ResponseSink {
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
