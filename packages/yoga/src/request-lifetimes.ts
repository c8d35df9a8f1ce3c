import type { ServerResponse } from 'node:http'
import { releaseStream } from '@sluice/core'
import { onSocketClose } from '@sluice/sse'

/** While somebody may still read the response to a request. */
export class RequestLifetime {
  readonly #onError: (error: unknown) => void
  readonly #releases = new Map<object, () => unknown>()
  #unwatch = () => {}
  #isOver = false

  constructor({ signal }: Request, response: ServerResponse | undefined, onError: (error: unknown) => void) {
    this.#onError = onError
    // A response that waits behind another on its connection (pipelining) has no socket, and is told nothing.
    const socket = response?.socket === null ? response.req.socket : undefined
    this.#isOver =
      signal.aborted || [response, socket].some((each) => each?.closed === true || each?.destroyed === true)
    if (this.#isOver) return
    const end = (): void => this.end()
    signal.addEventListener('abort', end)
    response?.once('close', end)
    const unwatchSocket = socket && onSocketClose(socket, end)
    this.#unwatch = () => {
      signal.removeEventListener('abort', end)
      response?.removeListener('close', end)
      unwatchSocket?.()
    }
  }

  /** The client has gone, or the response was written, or is one that holds no results. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** Has the stream released when this is over; at once if it is. In place of what was said of it before. */
  set(stream: object, release: () => unknown = () => releaseStream(stream, { reportError: this.#onError })): void {
    if (this.#isOver) void this.#run(release)
    else this.#releases.set(stream, release)
  }

  /** Nobody reads the response any more: everything is released, what was set last first. */
  end(): void {
    const releases = [...this.#releases.values()].toReversed()
    this.settle()
    for (const release of releases) void this.#run(release)
  }

  /** The response was written to its end: there is nothing to release. */
  settle(): void {
    this.#isOver = true
    this.#unwatch()
    this.#releases.clear()
  }

  async #run(release: () => unknown): Promise<void> {
    try {
      await release()
    } catch (error) {
      this.#onError(error)
    }
  }
}

/** The requests for which something was started that outlives the call of Yoga's handler. */
export class RequestLifetimes {
  readonly #onError: (error: unknown) => void
  readonly #byRequest = new WeakMap<Request, RequestLifetime>()

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
  }

  /** `context` is Yoga's, in which Node's response is. */
  of(request: Request, context: object): RequestLifetime {
    let lifetime = this.#byRequest.get(request)
    if (lifetime === undefined) {
      lifetime = new RequestLifetime(request, responseOf(context), this.#onError)
      this.#byRequest.set(request, lifetime)
    }
    return lifetime
  }

  find(request: Request): RequestLifetime | undefined {
    return this.#byRequest.get(request)
  }
}

/** Node's response, which Yoga has in its context when it serves a `node:http` server. */
export function responseOf(context: object): ServerResponse | undefined {
  const response: unknown = Reflect.get(context, 'res')
  return typeof response === 'object' && response !== null && 'writableFinished' in response
    ? (response as ServerResponse)
    : undefined
}
