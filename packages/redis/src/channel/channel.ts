import type { BusNotification, ChannelKey, SluiceError } from '@sluice/core'
import type { Commands } from '../connection/commands.ts'
import { type Cursor, formatPosition, lastOffset } from '../cursor.ts'
import type { Frame } from '../entry.ts'
import type { FrameBudget } from '../reader/frame-buffer.ts'
import type { ChannelNames } from '../keys.ts'
import { ChannelReader } from '../reader/channel-reader.ts'
import { cursorAtTop, type Top } from '../reader/page.ts'
import type { Pages } from '../reader/pages.ts'
import type { Tops } from '../reader/tops.ts'
import { Audience } from './audience.ts'
import type { RedisSubscription } from './subscription.ts'

export interface ChannelServices {
  readonly commands: Commands
  readonly tops: Tops
  readonly pages: Pages
  /** What all readers keep of the wire together. */
  readonly budget: FrameBudget
  readonly onError: (error: unknown) => void
}

/** What one reader keeps of the wire while it replays. */
const bufferLimits = { maxCount: 1_024, maxBytes: 4_194_304 }

interface Reading {
  readonly reader: ChannelReader
  readonly audience: Audience
  /** Called with the first top: until then nobody who resumes is acknowledged. */
  readonly onTop: ((top: Top) => void) | undefined
}

interface Joining {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/**
 * One channel of this process, and everybody who is on it. One reader is for all; whoever resumes has one of their own until it
 * has caught up, and is then with the others.
 */
export class Channel {
  readonly key: ChannelKey
  readonly names: ChannelNames
  readonly #services: ChannelServices
  readonly #main: Reading
  readonly #catchingUp = new Set<Reading>()
  readonly #joining = new Map<RedisSubscription, Joining>()
  /** Those of them who wait for Redis to acknowledge the channel. */
  readonly #unacknowledged = new Set<RedisSubscription>()
  #isAcknowledged = false
  #isEnded = false

  constructor(key: ChannelKey, names: ChannelNames, services: ChannelServices) {
    this.key = Object.freeze({ tenantId: key.tenantId, name: key.name })
    this.names = names
    this.#services = services
    this.#main = this.#newReading()
  }

  /** How many are on it, or about to be. */
  get count(): number {
    let count = this.#joining.size + this.#main.audience.count
    for (const { audience } of this.#catchingUp) count += audience.count
    return count
  }

  /** Where everybody is, if it is where the wire is. */
  get liveCursor(): Cursor | undefined {
    return this.#main.reader.state === 'live' ? this.#main.reader.cursor : undefined
  }

  /**
   * Resolves when what is published from then on reaches the subscription.
   *
   * @param from `undefined`: what is published from now on
   */
  join(subscription: RedisSubscription, from: Cursor | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#joining.set(subscription, { resolve, reject })
      if (from !== undefined) this.#resume(subscription, from)
      else if (this.#isAcknowledged) this.#joinLive(subscription)
      else this.#unacknowledged.add(subscription)
    })
  }

  leave(subscription: RedisSubscription): void {
    this.#joining.delete(subscription)
    this.#unacknowledged.delete(subscription)
    this.#main.audience.delete(subscription)
    for (const reading of this.#catchingUp) {
      if (!reading.audience.delete(subscription)) continue
      reading.reader.end()
      this.#catchingUp.delete(reading)
    }
  }

  subscribing(): void {
    for (const { reader } of this.#readings()) reader.subscribing()
  }

  acknowledged(): void {
    this.#isAcknowledged = true
    for (const { reader } of this.#readings()) reader.acknowledged()
    const waiting = [...this.#unacknowledged]
    this.#unacknowledged.clear()
    for (const subscription of waiting) this.#joinLive(subscription)
  }

  detached(): void {
    this.#isAcknowledged = false
    for (const { reader } of this.#readings()) reader.detached()
  }

  takeFrame(frame: Frame): void {
    for (const { reader } of this.#readings()) reader.takeFrame(frame)
  }

  /** Where the channel was after `asked` was the cursor. */
  check(top: Top, asked: Cursor): void {
    this.#main.reader.check(top, asked)
  }

  /** Tells everybody. */
  tell(notification: BusNotification): void {
    for (const { audience } of this.#readings()) for (const member of audience) member.tell(notification)
  }

  /** The end: those who wait to be acknowledged are rejected; those who are there are returned, and to be told. */
  end(error: SluiceError): readonly RedisSubscription[] {
    this.#isEnded = true
    for (const { reader } of this.#readings()) reader.end()
    for (const [subscription, { reject }] of this.#joining) {
      this.leave(subscription)
      reject(error)
    }
    return this.#readings().flatMap(({ audience }) => [...audience])
  }

  #readings(): Reading[] {
    return [this.#main, ...this.#catchingUp]
  }

  /** Behind where the channel is now: what was accepted before is none of its events. */
  #joinLive(subscription: RedisSubscription): void {
    this.#services.tops.ask(this.names).then(
      (top) => {
        const joining = this.#joining.get(subscription)
        if (joining === undefined) return
        this.#joining.delete(subscription)
        const { reader, audience } = this.#main
        reader.takeTop(top)
        const cursor = reader.cursor as Cursor
        const isReached = cursor.epoch === top.epoch && lastOffset(cursor) >= top.offset
        if (!isReached) {
          subscription.floor = cursorAtTop(top)
          // It has not heard of this history.
          if (cursor.epoch !== top.epoch) reader.check(top, cursor)
        }
        subscription.acknowledge(formatPosition(isReached ? cursor : cursorAtTop(top)))
        audience.add(subscription)
        joining.resolve()
      },
      (error: unknown) => this.#reject(subscription, error),
    )
  }

  #resume(subscription: RedisSubscription, from: Cursor): void {
    const reading = this.#newReading(from, (top) => {
      subscription.acknowledge(formatPosition(cursorAtTop(top)))
      this.#joining.get(subscription)?.resolve()
      this.#joining.delete(subscription)
    })
    reading.audience.add(subscription)
    this.#catchingUp.add(reading)
    if (this.#isAcknowledged) reading.reader.acknowledged()
  }

  #newReading(cursor?: Cursor, onTop?: (top: Top) => void): Reading {
    const audience = new Audience(this.key, this.#services.onError)
    const reader: ChannelReader = new ChannelReader(
      {
        askTop: () => void this.#askTop(reading),
        askPage: (cursor, ticket) => void this.#askPage(reading, cursor, ticket),
        tellEvent: (entry, cursor) => audience.tellEvent(entry, cursor),
        tellGap: (reason, cursor, before) => audience.tellGap(reason, cursor, before),
        becameLive: () => this.#merge(),
      },
      { ...bufferLimits, budget: this.#services.budget },
      cursor,
    )
    const reading: Reading = { reader, audience, onTop }
    return reading
  }

  async #askTop(reading: Reading): Promise<void> {
    const { reader, onTop } = reading
    const top = await this.#untilGiven(
      reading,
      () => reader.state === 'buffering',
      () => this.#services.tops.ask(this.names),
    )
    if (top === undefined) return
    onTop?.(top)
    // An answer to an older question, from before the wire was gone for a moment, may have made it live too early.
    if (reader.state === 'live') reader.check(top, reader.cursor as Cursor)
    else reader.takeTop(top)
  }

  async #askPage(reading: Reading, cursor: Cursor, ticket: number): Promise<void> {
    const { reader } = reading
    const page = await this.#untilGiven(
      reading,
      () => reader.state === 'replaying',
      () => this.#services.pages.read(this.names, cursor),
    )
    if (page !== undefined) reader.takePage(ticket, page)
  }

  /** What Redis refuses to tell is asked for again, until it is not wanted any more. */
  async #untilGiven<T>(reading: Reading, isWanted: () => boolean, ask: () => Promise<T>): Promise<T | undefined> {
    for (let isReported = false; ; ) {
      try {
        return await ask()
      } catch (error) {
        if (this.#isEnded) return undefined
        for (const subscription of reading.audience) this.#reject(subscription, error)
        if (!isReported) this.#services.onError(error)
        isReported = true
      }
      try {
        await this.#services.commands.pause(1_000)
      } catch {
        return undefined // closed
      }
      if (this.#isEnded || !isWanted()) return undefined
    }
  }

  /** Whoever has caught up is with the others from now on. */
  #merge(): void {
    const main = this.#main
    if (main.reader.state !== 'live') return
    for (const reading of this.#catchingUp) {
      if (reading.reader.state !== 'live') continue
      const here = main.reader.cursor as Cursor
      const there = reading.reader.cursor as Cursor
      const distance = lastOffset(there) - lastOffset(here)
      if (here.epoch !== there.epoch || (distance === 0 && here.ms !== there.ms)) {
        // One of them is in a history that is no more; the stream tells which.
        reading.reader.replay()
        main.reader.replay()
        return
      }
      if (distance < 0) {
        reading.reader.replay()
        continue
      }
      this.#catchingUp.delete(reading)
      for (const subscription of reading.audience) {
        if (distance > 0) subscription.floor = there
        main.audience.add(subscription)
      }
      reading.reader.end()
    }
  }

  #reject(subscription: RedisSubscription, error: unknown): void {
    const joining = this.#joining.get(subscription)
    if (joining === undefined) return
    this.leave(subscription)
    joining.reject(error as Error)
  }
}
