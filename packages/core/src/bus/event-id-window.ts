import type { Position } from './event-bus.ts'

/** How long, and how many, event ids are remembered. */
export interface EventIdLimits {
  readonly windowMs: number
  /** Never more than this; the latest half of it is remembered in any case. */
  readonly maxCount: number
}

/**
 * The event ids of the last `windowMs` and where their events are, so that a repeated publish is recognised.
 *
 * Two generations take turns: the young one becomes the old one when it is half of `maxCount` or a whole window old,
 * and what was old is forgotten at once. So nothing is searched or deleted singly, and there is no timer.
 */
export class EventIdWindow {
  readonly #limits: EventIdLimits
  #young = new Generation()
  #old = new Generation()
  #youngSince = Number.NEGATIVE_INFINITY

  constructor(limits: EventIdLimits) {
    this.#limits = limits
  }

  /** How many ids are held. */
  get count(): number {
    return this.#young.count + this.#old.count
  }

  /** Where the event with this id on this channel is, if it was published within the window. */
  find(channelId: string, eventId: string, now: number): Position | undefined {
    const since = now - this.#limits.windowMs
    return this.#young.find(channelId, eventId, since) ?? this.#old.find(channelId, eventId, since)
  }

  /** Takes an id that {@link EventIdWindow.find} did not find. */
  remember(channelId: string, eventId: string, position: Position, now: number): void {
    const { windowMs, maxCount } = this.#limits
    if (windowMs === 0 || maxCount === 0) return
    const isStale = now - this.#youngSince >= windowMs
    if (isStale || this.#young.count >= Math.max(1, Math.floor(maxCount / 2))) {
      this.#old = maxCount === 1 ? new Generation() : this.#young
      this.#young = new Generation()
      this.#youngSince = now
    }
    this.#young.add(channelId, eventId, position, now)
  }

  clear(): void {
    this.#young = new Generation()
    this.#old = new Generation()
  }
}

/**
 * Event ids by channel: a map of maps, so that no key has to be made of the two. An id's index is where its position
 * and its time stand, so that an entry is no object of its own.
 */
class Generation {
  readonly #indexes = new Map<string, Map<string, number>>()
  readonly #positions: Position[] = []
  readonly #times: number[] = []

  get count(): number {
    return this.#positions.length
  }

  /** The position of an id that came after `time`. */
  find(channelId: string, eventId: string, time: number): Position | undefined {
    const index = this.#indexes.get(channelId)?.get(eventId)
    return index !== undefined && (this.#times[index] as number) > time ? this.#positions[index] : undefined
  }

  /** Takes an id that it does not have. */
  add(channelId: string, eventId: string, position: Position, time: number): void {
    let indexes = this.#indexes.get(channelId)
    if (indexes === undefined) {
      indexes = new Map()
      this.#indexes.set(channelId, indexes)
    }
    indexes.set(eventId, this.count)
    this.#positions.push(position)
    this.#times.push(time)
  }
}
