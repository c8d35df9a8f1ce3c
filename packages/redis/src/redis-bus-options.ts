import { checkOptions, SluiceError } from '@sluice/core'
import * as v from 'valibot'
import type { RedisClient } from './connection/redis-client.ts'
import { parseRedisUrl, type ServerAddress } from './connection/redis-url.ts'

/** The options of {@link redisBus}. Exactly one of `url` and `client` is needed. */
export interface RedisBusOptions {
  /** `redis://user:password@host:port/database`, or `rediss:` for TLS. No message ever shows it. */
  readonly url?: string
  /**
   * A client of ioredis 5 or 6, of one server, through Sentinel or of a cluster. It is a template: the bus opens connections of
   * its own with its options, and neither uses nor closes it. Make it with `lazyConnect: true` if you need it for nothing else.
   */
  readonly client?: RedisClient
  /**
   * The name of the deployment, by which its connections are found in `CLIENT LIST`: `sluice:<consumerGroup>:publisher` and
   * `…:subscriber`. Every instance hears every event, whatever its group.
   *
   * @default 'sluice'
   */
  readonly consumerGroup?: string
  /** What the name of each key begins with. Buses hear each other if it is the same. No braces. @default 'sluice' */
  readonly keyPrefix?: string
  /** What is kept of each channel, for subscribers who resume and for connections that break. */
  readonly history?: {
    /** Events per channel, at least 1. Redis keeps up to a hundred more. @default 1_000 */
    readonly maxCount?: number
    /** How long an event is kept, in milliseconds, at least; `Infinity` is allowed. @default 300_000 (5 minutes) */
    readonly maxAgeMs?: number
  }
  /** The largest `data` of an event, in bytes. @default 1_048_576 (1 MiB) */
  readonly maxPayloadBytes?: number
  /**
   * For how long a repeated `eventId` is recognised, in milliseconds: at least `publishTimeoutMs`, for so long an event may be sent
   * again. With 0 an event whose reply is lost is not sent again: its publish rejects with BUS_OUTCOME_UNKNOWN.
   *
   * @default 120_000 (2 minutes)
   */
  readonly dedupWindowMs?: number
  /** Events that may wait for the server, sent or not. More are refused with BUS_UNAVAILABLE. @default 10_000 */
  readonly maxPendingPublishes?: number
  /** The bytes of their data. @default 67_108_864 (64 MiB) */
  readonly maxPendingBytes?: number
  /** How long `publish`, `history` and `position` wait for the server, in milliseconds. @default 5_000 */
  readonly publishTimeoutMs?: number
  /** How often the server is asked for a sign of life, in milliseconds. Two without an answer break a connection. @default 5_000 */
  readonly heartbeatMs?: number
  /**
   * After how many milliseconds at most (and up to a third earlier, at random) each channel is compared with what was received: a
   * last message that was lost, and a history that was deleted while nothing was published, are noticed then.
   *
   * @default 15_000
   */
  readonly checkIntervalMs?: number
  /** How long a channel is kept open after its last subscriber left, in milliseconds. @default 5_000 */
  readonly lingerMs?: number
}

/** {@link RedisBusOptions} with every default filled in. */
export interface RedisBusLimits {
  readonly consumerGroup: string
  readonly keyPrefix: string
  readonly history: { readonly maxCount: number; readonly maxAgeMs: number }
  readonly maxPayloadBytes: number
  readonly dedupWindowMs: number
  readonly maxPendingPublishes: number
  readonly maxPendingBytes: number
  readonly publishTimeoutMs: number
  readonly heartbeatMs: number
  readonly checkIntervalMs: number
  readonly lingerMs: number
  /** How long the record of a channel is kept: longer than all that refers to it. 0 for ever. */
  readonly recordTtlMs: number
}

/** What to connect to. */
export type RedisTarget = { readonly address: ServerAddress } | { readonly client: RedisClient }

/**
 * Checks the options and fills in the defaults.
 *
 * @throws SluiceError BAD_CONFIG, naming the option.
 */
export function resolveRedisBusOptions(options: RedisBusOptions): RedisBusLimits & { readonly target: RedisTarget } {
  checkOptions('redisBus', schema, options)
  const { maxCount = 1_000, maxAgeMs = 300_000 } = options.history ?? {}
  const {
    consumerGroup = 'sluice',
    keyPrefix = 'sluice',
    maxPayloadBytes = 1_048_576,
    dedupWindowMs = 120_000,
    maxPendingPublishes = 10_000,
    maxPendingBytes = 67_108_864,
    publishTimeoutMs = 5_000,
    heartbeatMs = 5_000,
    checkIntervalMs = 15_000,
    lingerMs = 5_000,
  } = options
  if (dedupWindowMs > 0 && dedupWindowMs < publishTimeoutMs) {
    throw new SluiceError(
      'BAD_CONFIG',
      `[redisBus] the option "dedupWindowMs" has to be at least publishTimeoutMs, which is ${publishTimeoutMs}, or 0: an event is sent again for so long, and would be published twice.`,
    )
  }
  return {
    consumerGroup,
    keyPrefix,
    history: { maxCount, maxAgeMs },
    maxPayloadBytes,
    dedupWindowMs,
    maxPendingPublishes,
    maxPendingBytes,
    publishTimeoutMs,
    heartbeatMs,
    checkIntervalMs,
    lingerMs,
    recordTtlMs: Number.isFinite(maxAgeMs) ? Math.max(3_600_000, 2 * maxAgeMs, 2 * dedupWindowMs) : 0,
    target: targetOf(options),
  }
}

function targetOf({ url, client }: RedisBusOptions): RedisTarget {
  if ((url === undefined) === (client === undefined)) {
    throw new SluiceError('BAD_CONFIG', '[redisBus] give either the option "url" or the option "client".')
  }
  if (client === undefined) return { address: parseRedisUrl(url as string) }
  const { keyPrefix } = client.options as { readonly keyPrefix?: string }
  if (keyPrefix !== undefined && keyPrefix !== '') {
    throw new SluiceError(
      'BAD_CONFIG',
      '[redisBus] the option "client" has a keyPrefix, which would not hold for pub/sub; use the option "keyPrefix" of redisBus.',
    )
  }
  return { client }
}

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(1))
const milliseconds = v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(2_147_483_647))
/** What `consumerGroup` and `keyPrefix` are made of. */
export const nameSchema: v.GenericSchema<string> = v.pipe(v.string(), v.regex(/^[\w.:/-]{1,64}$/))

const schema = v.strictObject({
  url: v.optional(v.string()),
  client: v.optional(
    v.custom<RedisClient>(
      (value) => typeof value === 'object' && value !== null && 'duplicate' in value && 'options' in value,
      'has to be a client of ioredis',
    ),
  ),
  consumerGroup: v.optional(nameSchema),
  keyPrefix: v.optional(nameSchema),
  history: v.optional(
    v.strictObject({
      maxCount: v.optional(count),
      maxAgeMs: v.optional(v.union([milliseconds, v.literal(Number.POSITIVE_INFINITY)])),
    }),
  ),
  maxPayloadBytes: v.optional(v.pipe(count, v.maxValue(268_435_456))),
  dedupWindowMs: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(2_147_483_647))),
  maxPendingPublishes: v.optional(count),
  maxPendingBytes: v.optional(count),
  publishTimeoutMs: v.optional(milliseconds),
  heartbeatMs: v.optional(milliseconds),
  checkIntervalMs: v.optional(v.pipe(milliseconds, v.maxValue(600_000))),
  lingerMs: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(2_147_483_647))),
})
