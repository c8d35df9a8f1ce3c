import type { Buffer } from 'node:buffer'
import type { BusListener, BusSubscription, ChannelKey, Position } from '@sluice/core'
import { unavailable } from './bus-errors.ts'
import { channelBytes } from './channel-bytes.ts'

/** A subscription that the server has not acknowledged. */
export interface SubscribeRequest {
  readonly key: ChannelKey
  readonly bytes: Buffer
  readonly from: Position | 'live'
  readonly listener: BusListener
  readonly resolve: (subscription: BusSubscription) => void
  /** Aborted, late or closed meanwhile: nobody waits for it. */
  readonly isOver: boolean
}

/** The subscriptions that wait for their acknowledgement, each as long as it may. */
export class SubscribeRequests {
  readonly #timeoutMs: number
  readonly #lastError: () => unknown
  readonly #waiting = new Map<SubscribeRequest, (error: unknown) => void>()

  /** @param lastError why nothing is acknowledged, for the error of those who waited in vain */
  constructor(timeoutMs: number, lastError: () => unknown) {
    this.#timeoutMs = timeoutMs
    this.#lastError = lastError
  }

  get count(): number {
    return this.#waiting.size
  }

  /** Resolves as soon as somebody who took the request resolves it. */
  add(
    key: ChannelKey,
    from: Position | 'live',
    listener: BusListener,
    signal: AbortSignal | undefined,
  ): Promise<BusSubscription> {
    return new Promise((resolve, reject) => {
      const state = { isOver: false }
      const finish = (settle: () => void): void => {
        if (state.isOver) return
        state.isOver = true
        this.#waiting.delete(request)
        clearTimeout(timer)
        signal?.removeEventListener('abort', abort)
        settle()
      }
      const fail = (error: unknown): void => finish(() => reject(error))
      const abort = (): void => fail(signal?.reason)
      const timer = setTimeout(
        () =>
          fail(unavailable(`the subscription was not acknowledged within ${this.#timeoutMs} ms`, this.#lastError())),
        this.#timeoutMs,
      )
      const request: SubscribeRequest = {
        key,
        bytes: channelBytes(key),
        from,
        listener,
        resolve: (subscription) => finish(() => resolve(subscription)),
        get isOver() {
          return state.isOver
        },
      }
      signal?.addEventListener('abort', abort, { once: true })
      this.#waiting.set(request, fail)
    })
  }

  /** The first so many. They go on waiting until they are resolved. */
  first(count: number): SubscribeRequest[] {
    const found: SubscribeRequest[] = []
    for (const request of this.#waiting.keys()) {
      if (found.length === count) break
      found.push(request)
    }
    return found
  }

  rejectAll(error: unknown): void {
    for (const fail of this.#waiting.values()) fail(error)
  }
}
