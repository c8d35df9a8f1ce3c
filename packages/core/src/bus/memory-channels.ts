import { randomUUID } from 'node:crypto'
import type { ChannelKey } from './channel-key.ts'
import { carriedBytes, carriedEvent } from './carried-event.ts'
import type { BusEvent } from './event-bus.ts'
import type { MemoryBusLimits } from './memory-bus-options.ts'
import { type EventNotification, MemoryChannel } from './memory-channel.ts'
import { RecencyList } from './recency-list.ts'

/**
 * All channels of a memory bus, and the limits that hold over all of them: their histories' bytes, and the
 * number of channels without a listener. There is no timer: each event that is appended also looks at the
 * channels that were longest without one, so what expired on a quiet channel goes when another is used.
 */
export class MemoryChannels {
  readonly #limits: MemoryBusLimits
  readonly #epoch = randomUUID().replaceAll('-', '')
  readonly #byId = new Map<string, MemoryChannel>()
  /** Channels without a listener, by when they were last used. */
  readonly #idle = new RecencyList<MemoryChannel>()
  /** Channels with a history, by their last event. */
  readonly #written = new RecencyList<MemoryChannel>()
  #historyBytes = 0

  constructor(limits: MemoryBusLimits) {
    this.#limits = limits
  }

  get count(): number {
    return this.#byId.size
  }

  get historyBytes(): number {
    return this.#historyBytes
  }

  /** The channel; made if it is not here. Whoever opens one calls {@link MemoryChannels.release} when done. */
  open(id: string, key: ChannelKey): MemoryChannel {
    let channel = this.#byId.get(id)
    if (channel === undefined) {
      const generation = randomUUID().slice(-12)
      channel = new MemoryChannel(id, key, this.#epoch, generation, this.#limits.history)
      this.#byId.set(id, channel)
    }
    return channel
  }

  /** After each use of a channel. One without listeners stays, until too many others like it were used since. */
  release(channel: MemoryChannel): void {
    if (channel.listeners.size > 0) {
      this.#idle.delete(channel)
      return
    }
    this.#idle.touch(channel)
    while (this.#idle.size > this.#limits.maxIdleChannelCount) this.#forget(this.#idle.oldest as MemoryChannel)
  }

  /** Puts an event into its channel's history and makes room for it. */
  append(channel: MemoryChannel, event: BusEvent, now: number): EventNotification {
    const notification: EventNotification = Object.freeze({
      kind: 'event',
      event: carriedEvent(event, channel.key),
      position: channel.position(channel.history.lastOffset + 1),
    })
    const { history } = channel
    const before = history.bytes
    history.append(notification, carriedBytes(event), now)
    this.#historyBytes += history.bytes - before
    this.#written.touch(channel)
    this.#makeRoom(now)
    return notification
  }

  /** Deletes from a channel's history what is too old, before somebody reads it. */
  trim(channel: MemoryChannel, now: number): void {
    const before = channel.history.bytes
    channel.history.trim(now)
    this.#historyBytes += channel.history.bytes - before
  }

  /** Every channel that has a listener. */
  *withListeners(): Generator<MemoryChannel> {
    for (const channel of this.#byId.values()) {
      if (channel.listeners.size > 0) yield channel
    }
  }

  clear(): void {
    this.#byId.clear()
    this.#idle.clear()
    this.#written.clear()
    this.#historyBytes = 0
  }

  #makeRoom(now: number): void {
    for (let oldest = this.#written.oldest; oldest !== undefined; oldest = this.#written.oldest) {
      if (this.#historyBytes <= this.#limits.maxTotalBytes && !oldest.history.isExpired(now)) return
      this.#dropHistory(oldest)
    }
  }

  #forget(channel: MemoryChannel): void {
    this.#idle.delete(channel)
    this.#byId.delete(channel.id)
    this.#dropHistory(channel)
  }

  #dropHistory(channel: MemoryChannel): void {
    if (!this.#written.delete(channel)) return
    this.#historyBytes -= channel.history.bytes
    channel.history.clear()
  }
}
