import type { Buffer } from 'node:buffer'
import { type ChannelKey, encodeChannelKey } from '@sluice/core'
import type { FollowedPoint } from './followed-point.ts'
import type { PostgresSubscription } from './postgres-subscription.ts'

/** A channel that has listeners in this process. */
export class FollowedChannel {
  readonly id: string
  readonly key: ChannelKey
  readonly bytes: Buffer
  /** In the order of subscribing. Whoever is not in it (any more) is not called. */
  readonly subscriptions: Set<PostgresSubscription> = new Set()
  point: FollowedPoint
  /** Its next events have to be asked for by offset: what was read by seq did not go on where it was. */
  isBehind = false

  constructor(key: ChannelKey, bytes: Buffer, point: FollowedPoint) {
    this.id = encodeChannelKey(key)
    this.key = Object.freeze({ tenantId: key.tenantId, name: key.name })
    this.bytes = bytes
    this.point = point
  }
}
