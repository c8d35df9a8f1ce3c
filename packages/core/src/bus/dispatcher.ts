import type { BusNotification } from './event-bus.ts'
import type { EventNotification, MemoryChannel } from './memory-channel.ts'
import type { MemorySubscription } from './memory-subscription.ts'

interface Waiting {
  readonly channel: MemoryChannel
  readonly notification: EventNotification
  readonly offset: number
}

const closed: BusNotification = Object.freeze({ kind: 'status', status: 'closed' })

/**
 * Calls the listeners of a memory bus, one notification at a time. What a listener publishes is told after
 * the current event has reached everybody, so all listeners of a channel hear the same order; one that was
 * closed meanwhile is not called, and one that was added hears only what was published after it.
 */
export class Dispatcher {
  readonly #onError: (error: unknown) => void
  #isBusy = false
  #waiting: Waiting[] = []
  #farewells: readonly MemorySubscription[] = []

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
  }

  /** Events that were published by listeners and are still to be told after the ones being told now. */
  get waitingCount(): number {
    return this.#waiting.length
  }

  /** Tells an event to its channel: now, or after what is being told. */
  dispatch(channel: MemoryChannel, notification: EventNotification, offset: number): void {
    if (this.#isBusy) {
      this.#waiting.push({ channel, notification, offset })
      return
    }
    this.#isBusy = true
    this.#tellChannel(channel, notification, offset)
    this.#finish()
  }

  /** Tells one new listener what it missed, before anything live. */
  replay(channel: MemoryChannel, subscription: MemorySubscription, notifications: readonly BusNotification[]): void {
    const isNested = this.#isBusy
    this.#isBusy = true
    for (const notification of notifications) {
      if (!channel.listeners.has(subscription)) break
      this.#tell(subscription, notification)
    }
    if (!isNested) this.#finish()
  }

  /** The end: these listeners, whose channels have let go of them, hear of it as the last thing. */
  farewell(subscriptions: readonly MemorySubscription[]): void {
    this.#waiting = []
    this.#farewells = subscriptions
    if (this.#isBusy) return
    this.#isBusy = true
    this.#finish()
  }

  #finish(): void {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting
      this.#waiting = []
      for (const { channel, notification, offset } of batch) this.#tellChannel(channel, notification, offset)
    }
    for (const subscription of this.#farewells) {
      if (!subscription.isClosed) this.#tell(subscription, closed)
    }
    this.#farewells = []
    this.#isBusy = false
  }

  #tellChannel(channel: MemoryChannel, notification: EventNotification, offset: number): void {
    for (const subscription of channel.listeners) {
      if (offset > subscription.acknowledgedOffset) this.#tell(subscription, notification)
    }
  }

  #tell(subscription: MemorySubscription, notification: BusNotification): void {
    try {
      subscription.listener(notification)
    } catch (error) {
      this.#onError(error)
    }
  }
}
