import type { BusNotification, ChannelKey, SluiceError } from '@sluice/core'
import { closed } from '../connection/commands.ts'
import { parseFrame } from '../entry.ts'
import { channelNames, type KeySpace } from '../keys.ts'
import type { Wire, WireListener } from '../wire/wire.ts'
import { Channel, type ChannelServices } from './channel.ts'

export interface ChannelsOptions {
  readonly space: KeySpace
  readonly lingerMs: number
  readonly checkIntervalMs: number
  readonly services: ChannelServices
}

/** The channels that are open in this process, those that linger included. */
export class Channels {
  readonly #options: ChannelsOptions
  /** By the name of the pub/sub channel. */
  readonly #channels = new Map<string, Channel>()
  /** Channels that nobody is on, by when they are to be closed, which is the order in which they were left. */
  readonly #lingering = new Map<Channel, number>()
  #wire: Wire | undefined
  #lingerTimer: NodeJS.Timeout | undefined
  #checkTimer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(options: ChannelsOptions) {
    this.#options = options
  }

  get count(): number {
    return this.#channels.size
  }

  get subscriptionCount(): number {
    let count = 0
    for (const channel of this.#channels.values()) count += channel.count
    return count
  }

  /** What the wire tells, and whom. */
  readonly wireListener: WireListener = {
    onSubscribing: (name) => this.#channels.get(name)?.subscribing(),
    onAcknowledged: (name) => this.#channels.get(name)?.acknowledged(),
    onDetached: (name) => this.#channels.get(name)?.detached(),
    onMessage: (name, payload) => {
      const channel = this.#channels.get(name)
      if (channel === undefined) return
      const frame = parseFrame(payload)
      if (frame !== undefined) channel.takeFrame(frame)
      else this.#options.services.onError(new Error('[redisBus] a message that is no event was published on a channel'))
    },
    onRefused: (name, error) => this.#refused(name, error),
  }

  start(wire: Wire): void {
    this.#wire = wire
    this.#checkLater()
  }

  /** The channel, asked for at Redis if it is not open. Whoever is done with it calls {@link Channels.release}. */
  open(key: ChannelKey): Channel {
    const names = channelNames(this.#options.space, key)
    const known = this.#channels.get(names.wire)
    if (known !== undefined) {
      this.#lingering.delete(known)
      return known
    }
    const channel = new Channel(key, names, this.#options.services)
    this.#channels.set(names.wire, channel)
    this.#wire?.add(names)
    return channel
  }

  /** After somebody left a channel: if it was the last it is closed, after a while. */
  release(channel: Channel): void {
    if (channel.count > 0 || this.#isClosed || this.#channels.get(channel.names.wire) !== channel) return
    const { lingerMs } = this.#options
    this.#lingering.delete(channel)
    this.#lingering.set(channel, performance.now() + lingerMs)
    this.#lingerTimer ??= setTimeout(() => this.#closeLingering(), lingerMs)
  }

  /** Tells everybody on every channel. */
  tell(notification: BusNotification): void {
    for (const channel of this.#channels.values()) channel.tell(notification)
  }

  /** The end of all subscriptions. */
  close(): void {
    this.#isClosed = true
    clearTimeout(this.#lingerTimer)
    clearTimeout(this.#checkTimer)
    const subscriptions = [...this.#channels.values()].flatMap((channel) => channel.end(closed()))
    this.#channels.clear()
    this.#lingering.clear()
    for (const subscription of subscriptions) subscription.farewell()
  }

  #refused(name: string, error: SluiceError): void {
    const channel = this.#channels.get(name)
    if (channel === undefined) return
    // Those who are on it hear nothing more, which they have to know of; the next one to subscribe tries anew.
    this.#channels.delete(name)
    this.#lingering.delete(channel)
    const subscriptions = channel.end(error)
    if (subscriptions.length > 0) this.#options.services.onError(error)
    for (const subscription of subscriptions) subscription.farewell()
  }

  #closeLingering(): void {
    this.#lingerTimer = undefined
    const now = performance.now()
    for (const [channel, closeAt] of this.#lingering) {
      if (closeAt > now) {
        this.#lingerTimer = setTimeout(() => this.#closeLingering(), closeAt - now)
        return
      }
      this.#lingering.delete(channel)
      this.#channels.delete(channel.names.wire)
      this.#wire?.remove(channel.names)
      channel.end(closed())
    }
  }

  #checkLater(): void {
    if (this.#isClosed) return
    const { checkIntervalMs } = this.#options
    // The instances of a deployment, which were started together, shall not ask all at once.
    const delayMs = checkIntervalMs * (2 / 3 + Math.random() / 3)
    this.#checkTimer = setTimeout(() => void this.#check(), delayMs)
  }

  /** Asks where all channels are: the only way to know that a last message was lost. */
  async #check(): Promise<void> {
    const { tops, onError } = this.#options.services
    const checks = [...this.#channels.values()].map(async (channel) => {
      const asked = channel.liveCursor
      const top = await tops.ask(channel.names)
      if (asked !== undefined) channel.check(top, asked)
    })
    const outcomes = await Promise.allSettled(checks)
    const failure = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failure !== undefined && !this.#isClosed) onError(failure.reason)
    this.#checkLater()
  }
}
