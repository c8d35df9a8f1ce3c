import type { Buffer } from 'node:buffer'
import type { BusNotification, BusObservers, GapReason } from '@sluice/core'
import { type ChannelState, resumePoint } from './channel-state.ts'
import type { FollowedChannel } from './followed-channel.ts'
import { type FollowedPoint, isTold } from './followed-point.ts'
import { type LogRow, toEvent } from './log-row.ts'
import { formatPosition } from './position.ts'
import type { PostgresSubscription } from './postgres-subscription.ts'

/** An event that was read by `seq`, with the channel that it is of. */
export interface ReadRow extends LogRow {
  readonly key: Buffer
  readonly generation: string
}

/** A row of a channel's page: the event's part is null where the page has none. */
export interface PageRow extends LogRow {
  readonly generation: string
  readonly floor_offset: string
  readonly floor_anchor: string
}

/**
 * The channels that have listeners, and how far those have been told. What is read, by `seq` or by a channel's offset, comes
 * through here: an event is told if it is the one after the last, is dropped if it was told before, and anything else
 * makes its channel catch up by offset. Only one of live and replay moves a listener's place at a time.
 */
export class FollowedChannels {
  readonly #byId = new Map<string, FollowedChannel>()
  readonly #byBytes = new Map<string, FollowedChannel>()
  readonly #observers: BusObservers
  /** Channels whose next events have to be asked for by offset. */
  readonly behind: Set<FollowedChannel> = new Set()
  /** Subscriptions that are told the history. */
  readonly replaying: Map<PostgresSubscription, FollowedChannel> = new Map()
  #epoch = ''
  #nowMs = 0

  constructor(observers: BusObservers) {
    this.#observers = observers
  }

  get channelCount(): number {
    return this.#byId.size
  }

  get listenerCount(): number {
    let count = 0
    for (const { subscriptions } of this.#byId.values()) count += subscriptions.size
    return count
  }

  get epoch(): string {
    return this.#epoch
  }

  begin(epoch: string): void {
    this.#epoch = epoch
  }

  all(): FollowedChannel[] {
    return [...this.#byId.values()]
  }

  find(id: string): FollowedChannel | undefined {
    return this.#byId.get(id)
  }

  add(channel: FollowedChannel): void {
    this.#byId.set(channel.id, channel)
    this.#byBytes.set(channel.bytes.toString('latin1'), channel)
  }

  /** The last listener to leave a channel releases it. */
  remove(channel: FollowedChannel, subscription: PostgresSubscription): void {
    this.replaying.delete(subscription)
    if (!channel.subscriptions.delete(subscription) || channel.subscriptions.size > 0) return
    this.behind.delete(channel)
    if (this.#byId.get(channel.id) !== channel) return
    this.#byId.delete(channel.id)
    this.#byBytes.delete(channel.bytes.toString('latin1'))
  }

  /** Lets go of everybody; returns those who were there. */
  clear(): PostgresSubscription[] {
    const subscriptions = this.all().flatMap((channel) => [...channel.subscriptions])
    for (const channel of this.#byId.values()) channel.subscriptions.clear()
    this.#byId.clear()
    this.#byBytes.clear()
    this.behind.clear()
    this.replaying.clear()
    return subscriptions
  }

  tell(subscription: PostgresSubscription, notification: BusNotification): void {
    if (subscription.isClosed) return
    try {
      subscription.listener(notification)
    } catch (error) {
      this.#observers.error(error)
    }
  }

  tellAll(notification: BusNotification): void {
    for (const channel of this.all()) {
      for (const subscription of channel.subscriptions) this.tell(subscription, notification)
    }
  }

  /** What a subscription that resumes is told first where its history is not whole. */
  tellGapTo(subscription: PostgresSubscription, { row, nowMs }: ChannelState, reason: GapReason): void {
    this.#nowMs = nowMs
    this.tell(subscription, this.#gap(reason, pointOf(row?.generation, row?.floorOffset ?? 0, row?.floorAnchor ?? '0')))
  }

  /** An event that was read by `seq`; most are of channels that nobody here listens to. */
  applyRead(row: ReadRow): void {
    const channel = this.#byBytes.get(row.key.toString('latin1'))
    if (channel !== undefined) this.#applyNext(channel, row, row.generation)
  }

  /** A page of a channel that was behind. `isLast`: there was no more at that time. */
  applyPage(channel: FollowedChannel, rows: readonly PageRow[], isLast: boolean): void {
    const [first] = rows
    if (first === undefined || this.#byId.get(channel.id) !== channel) {
      // Forgotten meanwhile: its next event is the first of another generation.
      channel.isBehind = false
      this.behind.delete(channel)
      return
    }
    const { generation } = first
    if (channel.point.generation !== generation) {
      // The channel was forgotten and began anew: the page was read after an offset of the old one.
      channel.point = { generation, offset: 0, anchor: '0' }
      return
    }
    const floor = floorOf(first)
    if (!isTold(channel.point, generation, floor.offset)) {
      channel.point = floor
      this.#tellGap(channel, 'trimmed')
    }
    channel.isBehind = false
    for (const row of rows) {
      if (row.anchor !== null) this.#applyNext(channel, row, generation)
    }
    channel.isBehind = !isLast
    if (isLast) this.behind.delete(channel)
  }

  /** A page of the history for one subscription. */
  applyReplay(subscription: PostgresSubscription, rows: readonly PageRow[], isLast: boolean): void {
    const channel = this.replaying.get(subscription)
    if (channel === undefined) return
    const [first] = rows
    if (first === undefined) {
      this.replaying.delete(subscription)
      subscription.isReplaying = false
      return
    }
    const { generation } = first
    const floor = floorOf(first)
    const isOther = subscription.point.generation !== undefined && subscription.point.generation !== generation
    if (isOther || floor.offset > subscription.point.offset) {
      subscription.point = floor
      this.tell(subscription, this.#gap('trimmed', floor))
      if (isOther) return
    }
    for (const row of rows) {
      if (row.anchor === null || subscription.isClosed) break
      const point = { generation, offset: Number(row.channel_offset), anchor: row.anchor }
      subscription.point = point
      this.tell(subscription, this.#event(channel, row, point))
    }
    // What is told live meanwhile was not told to it. Once it is as far as the others, or further, it is one of them.
    if (!isLast && !isAsFar(subscription.point, channel.point)) return
    this.replaying.delete(subscription)
    subscription.isReplaying = false
  }

  /**
   * A new connection: what is a channel's place worth now? Returns the channels that have events beyond it.
   *
   * @param syncedMs until when, by the server's clock, everything was told
   */
  reconnected(epoch: string, states: ReadonlyMap<FollowedChannel, ChannelState>, syncedMs: number): void {
    const isNewEpoch = epoch !== this.#epoch
    this.#epoch = epoch
    for (const [channel, state] of states) {
      if (this.#byId.get(channel.id) !== channel) continue
      const { row, nowMs } = state
      this.#nowMs = nowMs
      const { generation, offset, anchor } = channel.point
      const isSameGeneration = generation !== undefined && generation === row?.generation
      const place = isSameGeneration
        ? { epoch, generation, offset, anchor }
        : // A channel that is gone had no event for a day before that.
          { epoch, generation: undefined, atMs: syncedMs }
      const found = resumePoint(epoch, state, isNewEpoch ? undefined : place)
      const top = pointOf(row?.generation, row?.topOffset ?? 0, row?.topAnchor ?? '0')
      if (found.gap === undefined) {
        if (!isSameGeneration) channel.point = pointOf(row?.generation, 0, '0')
        for (const subscription of channel.subscriptions) {
          // It was told more than there is now, of a history that ended differently.
          if (generation === subscription.point.generation && subscription.point.offset > top.offset) {
            subscription.point = top
            this.tell(subscription, this.#gap('fork', top))
          }
        }
      } else if (found.gap === 'trimmed') {
        channel.point = pointOf(row?.generation, row?.floorOffset ?? 0, row?.floorAnchor ?? '0')
        this.#tellGap(channel, 'trimmed')
      } else {
        // Where the histories part is not known, so that what is kept may have been told: after a fork it goes on from here.
        channel.point =
          found.gap === 'fork' ? top : pointOf(row?.generation, row?.floorOffset ?? 0, row?.floorAnchor ?? '0')
        for (const subscription of channel.subscriptions) {
          this.replaying.delete(subscription)
          subscription.isReplaying = false
          subscription.point = channel.point
        }
        this.#tellGap(channel, found.gap)
      }
      if (top.offset > channel.point.offset) {
        channel.isBehind = true
        this.behind.add(channel)
      }
    }
  }

  #applyNext(channel: FollowedChannel, row: LogRow, generation: string): void {
    const offset = Number(row.channel_offset)
    if (channel.isBehind || isTold(channel.point, generation, offset)) return
    const isNext = generation === channel.point.generation ? offset === channel.point.offset + 1 : offset === 1
    if (!isNext) {
      channel.isBehind = true
      this.behind.add(channel)
      return
    }
    const point = { generation, offset, anchor: row.anchor }
    channel.point = point
    const notification = this.#event(channel, row, point)
    for (const subscription of channel.subscriptions) {
      if (subscription.isReplaying || isTold(subscription.point, generation, offset)) continue
      this.tell(subscription, notification)
    }
  }

  /** To everybody who is told live and was not told what is missing. */
  #tellGap(channel: FollowedChannel, reason: GapReason): void {
    const { generation = '', offset } = channel.point
    const notification = this.#gap(reason, channel.point)
    for (const subscription of channel.subscriptions) {
      if (subscription.isReplaying) continue
      if (reason === 'trimmed' && isTold(subscription.point, generation, offset)) continue
      this.tell(subscription, notification)
    }
  }

  #gap(reason: GapReason, point: FollowedPoint): BusNotification {
    return Object.freeze({ kind: 'gap', reason, position: this.#position(point) })
  }

  #event(channel: FollowedChannel, row: LogRow, point: FollowedPoint): BusNotification {
    return Object.freeze({ kind: 'event', event: toEvent(row, channel.key), position: this.#position(point) })
  }

  #position({ generation, offset, anchor }: FollowedPoint): ReturnType<typeof formatPosition> {
    return formatPosition(
      generation === undefined
        ? { epoch: this.#epoch, generation, atMs: this.#nowMs }
        : { epoch: this.#epoch, generation, offset, anchor },
    )
  }
}

function floorOf(row: PageRow): FollowedPoint {
  return { generation: row.generation, offset: Number(row.floor_offset), anchor: row.floor_anchor }
}

function pointOf(generation: string | undefined, offset: number, anchor: string): FollowedPoint {
  return { generation, offset, anchor }
}

function isAsFar(point: FollowedPoint, other: FollowedPoint): boolean {
  return point.generation === other.generation && point.offset >= other.offset
}
