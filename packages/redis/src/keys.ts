import { type ChannelKey, encodeChannelKey } from '@sluice/core'

/** Into how many hash slots all channels are spread. It can never change: a channel's keys would be elsewhere. */
export const partitionCount = 64

/** The names at Redis of everything that belongs to one channel. All of them are in one hash slot. */
export interface ChannelNames {
  readonly partition: number
  /** A hash: the epoch, the offset and the time of the newest entry. */
  readonly meta: string
  readonly stream: string
  /** The pub/sub channel. */
  readonly wire: string
}

/** Where the names begin. */
export interface KeySpace {
  readonly keyPrefix: string
  /** The logical database: pub/sub does not know of it, so the names of pub/sub channels have to. */
  readonly database: number
}

/**
 * The names of a channel: `<prefix>:{<partition>}:<kind>:<channel>`. Everything before the channel has a fixed width, and
 * the channel's tenant is length-prefixed, so no two channels share a name and a pattern for one tenant's
 * keys ({@link redisAclRules}) fits no other tenant's. Only what is in the first braces decides the hash slot.
 */
export function channelNames({ keyPrefix, database }: KeySpace, channel: ChannelKey): ChannelNames {
  const encoded = encodeChannelKey(channel)
  const partition = partitionOf(encoded)
  const tag = hashTag(partition)
  return {
    partition,
    meta: `${keyPrefix}:${tag}:m:${encoded}`,
    stream: `${keyPrefix}:${tag}:s:${encoded}`,
    wire: `${wirePrefix({ keyPrefix, database })}:${tag}:c:${encoded}`,
  }
}

/** The key that remembers one event id of a channel. */
export function eventIdKey({ keyPrefix }: KeySpace, channel: ChannelKey, eventId: string, partition: number): string {
  const { tenantId, name } = channel
  // The name is length-prefixed here, since the event's id comes after it.
  const encoded = encodeChannelKey({ tenantId, name: `${name.length}:${name}:${eventId}` })
  return `${keyPrefix}:${hashTag(partition)}:d:${encoded}`
}

/** The prefix of pub/sub channels. */
export function wirePrefix({ keyPrefix, database }: KeySpace): string {
  return database === 0 ? keyPrefix : `${keyPrefix}@${database}`
}

/** What decides the hash slot of a partition's keys: `{00}` to `{63}`. */
export function hashTag(partition: number): string {
  return `{${partition.toString().padStart(2, '0')}}`
}

/** FNV-1a over the UTF-16 code units: the same in every version, and spread well enough for 64 partitions. */
function partitionOf(encoded: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < encoded.length; index += 1) {
    hash = Math.imul(hash ^ encoded.charCodeAt(index), 0x01000193)
  }
  return ((hash ^ (hash >>> 16)) >>> 0) % partitionCount
}
