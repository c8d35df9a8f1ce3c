import type { Position } from './event-bus.ts'

/** How long, and how many, event ids are remembered. */
export interface EventIdLimits {
  readonly windowMs: number
  /** Never more than this; the latest half of it is remembered in any case. */
  readonly maxCount: number
}

interface Seen {
  readonly position: Position
  readonly at: number
}

/**
 * The event ids of the last `windowMs` and where their events are, so that a repeated publish is recognised.
 *
 * Two maps take turns: the young one becomes the old one when it is half of `maxCount` or a whole window old,
 * and what was old is forgotten at once. So nothing is searched or deleted singly, and there is no timer.
 */
export class EventIdWindow {
  readonly #limits: EventIdLimits
  #young = new Map<string, Seen>()
  #old = new Map<string, Seen>()
  #youngSince = Number.NEGATIVE_INFINITY

  constructor(limits: EventIdLimits) {
    this.#limits = limits
  }

  /** How many ids are held. */
  get count(): number {
    return this.#young.size + this.#old.size
  }

  /** Where the event with this id on this channel is, if it was published within the window. */
  find(channelId: string, eventId: string, now: number): Position | undefined {
    const key = keyOf(channelId, eventId)
    const seen = this.#young.get(key) ?? this.#old.get(key)
    return seen !== undefined && now - seen.at < this.#limits.windowMs ? seen.position : undefined
  }

  remember(channelId: string, eventId: string, position: Position, now: number): void {
    const { windowMs, maxCount } = this.#limits
    if (windowMs === 0 || maxCount === 0) return
    const isStale = now - this.#youngSince >= windowMs
    if (isStale || this.#young.size >= Math.max(1, Math.floor(maxCount / 2))) {
      this.#old = maxCount === 1 ? new Map<string, Seen>() : this.#young
      this.#young = new Map()
      this.#youngSince = now
    }
    this.#young.set(keyOf(channelId, eventId), { position, at: now })
  }

  clear(): void {
    this.#young.clear()
    this.#old.clear()
  }
}

/** The id is length-prefixed: no id on one channel has the key of another id on another. */
function keyOf(channelId: string, eventId: string): string {
  return `${eventId.length}:${eventId}${channelId}`
}
