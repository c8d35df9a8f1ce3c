import { Buffer } from 'node:buffer'
import type { GraphQLError } from 'graphql'
import { EncodedResponse, type ResponseServices } from '../delivery/encoded-response.ts'
import { asPushStream } from '../delivery/hooked-stream.ts'
import { nextMessageFormat, nextMessagePrefix } from '../delivery/next-message.ts'
import type { OverflowOptions } from '../delivery/overflow.ts'
import { ResponseQueue } from '../delivery/response-queue.ts'
import type { ResponseStream } from '../delivery/response-stream.ts'
import { slowConsumer } from '../delivery/slow-consumer.ts'
import { SluiceError } from '../errors.ts'
import { toClientError } from '../delivery/client-error.ts'
import { toRequestError } from './request-error.ts'

/** One subscription of one connection: see `executor.register`. */
export interface Registration extends AsyncIterable<Uint8Array>, AsyncDisposable {
  readonly connectionId: string
  readonly subscriptionId: string
}

export interface RegistrationOptions {
  readonly connectionId: string
  readonly subscriptionId: string
  readonly stream: ResponseStream
  readonly overflow: OverflowOptions
  readonly services: ResponseServices
  /** The last message has been read, or nobody will: nothing of it is kept. */
  readonly forget: () => void
}

/**
 * The messages of one subscription, queued until its host takes them. A channel's responses are pushed into the
 * queue, under the overflow policy; any other source is pulled only while there is room.
 */
export class QueuedRegistration implements Registration {
  readonly connectionId: string
  readonly subscriptionId: string
  readonly #options: RegistrationOptions
  readonly #prefix: Buffer
  readonly #queue: ResponseQueue
  /** The stream has ended; the message that says so has not been read. */
  #end: { readonly error: GraphQLError | undefined } | undefined
  #closed = false
  #wake: (() => void)[] = []

  constructor(options: RegistrationOptions) {
    this.#options = options
    this.connectionId = options.connectionId
    this.subscriptionId = options.subscriptionId
    this.#prefix = nextMessagePrefix(options.subscriptionId)
    this.#queue = new ResponseQueue(options.overflow, options.services.counters)
    const pushStream = asPushStream(options.stream)
    if (pushStream === undefined) void this.#pump(options.stream)
    else {
      pushStream.pushTo({
        next: (response) => this.#enqueue(response),
        complete: () => this.#finish(undefined),
        error: (error) => this.#finish(toClientError(error)),
      })
    }
  }

  /** The next message, or `null` if there is none yet. */
  take(): Uint8Array | null {
    const message = this.#takeNext()
    if (message !== undefined) return message
    if (this.#end === undefined) return null
    const { error } = this.#end
    this.close()
    const id = JSON.stringify(this.subscriptionId)
    return Buffer.from(
      error === undefined
        ? `{"id":${id},"type":"complete"}`
        : `{"id":${id},"type":"error","payload":${JSON.stringify([error])}}`,
    )
  }

  /** Ends it at once: what waits is given up. Idempotent. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#end = undefined
    this.#queue.clear()
    this.#options.forget()
    this.#options.stream.return(undefined).catch(this.#options.services.report)
    this.#wakeAll()
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    let last: Promise<unknown> = Promise.resolve()
    return {
      next: () => {
        const message = last.then(() => this.#awaitNext())
        last = message.catch(() => undefined)
        return message
      },
      return: async () => {
        this.close()
        return { done: true, value: undefined }
      },
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
  }

  async #awaitNext(): Promise<IteratorResult<Uint8Array, undefined>> {
    while (!this.#closed) {
      const value = this.#takeNext()
      if (value !== undefined) return { done: false, value }
      if (this.#end === undefined) await new Promise<void>((resolve) => this.#wake.push(resolve))
      else {
        const { error } = this.#end
        this.close()
        if (error !== undefined) throw toSluiceError(error)
      }
    }
    return { done: true, value: undefined }
  }

  #takeNext(): Buffer | undefined {
    const response = this.#queue.take()
    if (response === undefined) return undefined
    if (this.#queue.size === 0) this.#wakeAll()
    return Buffer.concat([this.#prefix, response.framed(nextMessageFormat)])
  }

  #enqueue(response: EncodedResponse): void {
    if (this.#queue.offer(response)) {
      this.#wakeAll()
      return
    }
    const error = slowConsumer('its messages were read more slowly than events arrived')
    this.#options.services.counters.countError(error.code)
    this.#queue.clear()
    // Sources that cannot push are pulled only while there is room: they do not come here.
    asPushStream(this.#options.stream)?.abandon(error.code)
    this.#finish(error.toGraphQLError())
  }

  #finish(error: GraphQLError | undefined): void {
    if (this.#closed) return
    this.#end = { error }
    this.#wakeAll()
  }

  async #pump(stream: ResponseStream): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await stream.next()
        if (done === true) break
        this.#enqueue(new EncodedResponse(value, this.#options.services))
        while (this.#queue.size > 0 && !this.#closed) await new Promise<void>((resolve) => this.#wake.push(resolve))
      }
      this.#finish(undefined)
    } catch (error) {
      this.#options.services.report(error)
      this.#finish(toRequestError(error, 'The subscription failed.'))
    }
  }

  #wakeAll(): void {
    const waiting = this.#wake
    this.#wake = []
    for (const resolve of waiting) resolve()
  }
}

function toSluiceError(error: GraphQLError): SluiceError {
  return new SluiceError(SluiceError.codeOf(error) ?? 'BAD_SUBSCRIPTION', error.message, { errors: [error] })
}
