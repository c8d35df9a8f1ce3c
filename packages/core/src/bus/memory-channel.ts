import type { ChannelKey } from './channel-key.ts'
import type { BusNotification, GapReason, Position } from './event-bus.ts'
import { type HistoryLimits, HistoryRing } from './history-ring.ts'
import type { MemorySubscription } from './memory-subscription.ts'
import { formatPosition, parsePosition, positionPrefix } from './position.ts'

/** What the history holds and listeners are told: one frozen object for both. */
export type EventNotification = Extract<BusNotification, { readonly kind: 'event' }>

/** Where in a channel's history someone goes on. */
export interface ResumePoint {
  /** The events after this offset are wanted and are here. */
  readonly offset: number
  /** Set if events between the position that was asked for and `offset` are gone. */
  readonly gap: GapReason | undefined
}

/** One channel of a memory bus: its history and who listens to it. */
export class MemoryChannel {
  readonly id: string
  readonly key: ChannelKey
  readonly history: HistoryRing<EventNotification>
  /** In the order of subscribing. Whoever is not in it (any more) is not called. */
  readonly listeners: Set<MemorySubscription> = new Set()
  readonly #epoch: string
  readonly #generation: string
  readonly #prefix: string

  constructor(id: string, key: ChannelKey, epoch: string, generation: string, limits: HistoryLimits) {
    this.id = id
    this.key = Object.freeze({ tenantId: key.tenantId, name: key.name })
    this.history = new HistoryRing(limits)
    this.#epoch = epoch
    this.#generation = generation
    this.#prefix = positionPrefix(epoch, generation)
  }

  /** The position at an offset. */
  position(offset: number): Position {
    return formatPosition(this.#prefix, offset)
  }

  /**
   * What a position, from wherever it comes, means here. `epoch`: another bus's, or no position at all.
   * `trimmed`: the events after it were deleted, or this channel was forgotten and began anew since.
   */
  resumePoint(position: string): ResumePoint {
    const parsed = parsePosition(position)
    const { droppedOffset, lastOffset } = this.history
    if (parsed === undefined || parsed.epoch !== this.#epoch) return { offset: droppedOffset, gap: 'epoch' }
    if (parsed.generation !== this.#generation) return { offset: droppedOffset, gap: 'trimmed' }
    if (parsed.offset > lastOffset) return { offset: droppedOffset, gap: 'epoch' }
    if (parsed.offset < droppedOffset) return { offset: droppedOffset, gap: 'trimmed' }
    return { offset: parsed.offset, gap: undefined }
  }
}
