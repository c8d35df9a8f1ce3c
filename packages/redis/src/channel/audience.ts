import type { BusNotification, ChannelKey, GapReason } from '@sluice/core'
import { type Cursor, formatPosition, lastOffset } from '../cursor.ts'
import type { Entry } from '../entry.ts'
import { decodeEvent } from '../envelope.ts'
import type { RedisSubscription } from './subscription.ts'

/** Everybody who hears what one reader reads. */
export class Audience {
  readonly #channel: ChannelKey
  readonly #onError: (error: unknown) => void
  readonly #members = new Set<RedisSubscription>()

  constructor(channel: ChannelKey, onError: (error: unknown) => void) {
    this.#channel = channel
    this.#onError = onError
  }

  get count(): number {
    return this.#members.size
  }

  [Symbol.iterator](): Iterator<RedisSubscription> {
    return this.#members.values()
  }

  add(subscription: RedisSubscription): void {
    this.#members.add(subscription)
  }

  delete(subscription: RedisSubscription): boolean {
    return this.#members.delete(subscription)
  }

  /** Tells an event to those who were there when it was accepted. It is decoded once, and only if there is anybody. */
  tellEvent(entry: Entry, cursor: Cursor): void {
    let notification: BusNotification | undefined
    for (const member of this.#members) {
      if (member.floor !== undefined) {
        const place = placeAt(member.floor, cursor)
        if (place === 'before') continue
        member.floor = undefined
        if (place === 'at') continue
        // Where it was acknowledged is gone, and nobody but it was there.
        if (place === 'fork') member.tell(gapBefore(cursor))
      }
      notification ??= this.#decode(entry, cursor)
      member.tell(notification)
    }
  }

  /** Tells a gap to those whom it touches: not to those who were acknowledged behind it. */
  tellGap(reason: GapReason, cursor: Cursor, before: Cursor): void {
    const notification: BusNotification = Object.freeze({ kind: 'gap', reason, position: formatPosition(cursor) })
    for (const member of this.#members) {
      const { floor } = member
      if (floor !== undefined) {
        const isBehindGap = floor.epoch === cursor.epoch && lastOffset(cursor) <= floor.offset
        const isOfLaterHistory = floor.epoch !== before.epoch && floor.epoch !== cursor.epoch
        if (reason !== 'fork' && (isBehindGap || isOfLaterHistory)) continue
        member.floor = undefined
      }
      member.tell(notification)
    }
  }

  #decode(entry: Entry, cursor: Cursor): BusNotification {
    const position = formatPosition(cursor)
    try {
      return Object.freeze({
        kind: 'event',
        event: decodeEvent(this.#channel, entry.envelope, entry.data),
        position,
      })
    } catch (cause) {
      // Somebody else wrote into the stream: it is no event, but the place to resume from is behind it.
      this.#onError(cause)
      return Object.freeze({ kind: 'advance', position })
    }
  }
}

/** Where an event is, seen from where a member was acknowledged; `fork`: in a history that has not got that place. */
function placeAt(floor: Cursor, { epoch, ms, offset }: Cursor): 'before' | 'at' | 'after' | 'fork' {
  if (epoch !== floor.epoch) return 'before'
  if (offset > floor.offset) return 'after'
  // Times do not go back within a history: an earlier entry with a later time replaced what was acknowledged.
  if (offset < floor.offset) return ms > floor.ms ? 'fork' : 'before'
  return ms === floor.ms ? 'at' : 'fork'
}

function gapBefore(cursor: Cursor): BusNotification {
  return Object.freeze({ kind: 'gap', reason: 'fork', position: formatPosition({ ...cursor, isBefore: true }) })
}
