import { checkOptions, SluiceError } from '@sluice/core'
import * as v from 'valibot'
import { checkConnectionString } from './connection-string.ts'
import type { PostgresPool } from './postgres-client.ts'

/** What of each channel is kept for subscribers who resume. */
export interface PostgresHistoryOptions {
  /** Events per channel, at least 1. More may be there until the next retention, some seconds later. @default 1_000 */
  readonly maxCount?: number
  /** How long an event is kept, in milliseconds; `Infinity` is allowed. @default 3_600_000 (1 hour) */
  readonly maxAgeMs?: number
}

/**
 * The options of a {@link postgresBus}. It needs `connectionString`, `pool` or both. Instances on one schema should
 * agree on `history` and `dedupWindowMs`: any of them may be the one that sequences events and deletes old ones.
 */
export interface PostgresBusOptions {
  /** `postgres:` or `postgresql:`. It is never part of a message. */
  readonly connectionString?: string
  /**
   * A pool of `pg` for publishing and reading histories. It is never closed. Listening needs a connection of its own, which
   * is opened with the pool's options; if the pool goes through a transaction pooler, give a `connectionString` that goes past it.
   */
  readonly pool?: PostgresPool
  /** The schema with the bus's tables and functions. Two schemas are two buses. @default 'sluice' */
  readonly schema?: string
  /** Whether to create or upgrade the schema when connecting. If not, run `npx sluice-postgres migrate`. @default true */
  readonly migrate?: boolean
  readonly history?: PostgresHistoryOptions
  /**
   * How often to look for events that SQL, triggers or `publishIn` wrote, and for events whose wake-up was lost, in
   * milliseconds, while there are listeners. @default 50
   */
  readonly pollMs?: number
  /** How long the listening connection may leave a query unanswered, in milliseconds. Then it is replaced. @default 2_000 */
  readonly heartbeatMs?: number
  /** The largest `data` of an event, in bytes, at most 64 MiB. @default 1_048_576 (1 MiB) */
  readonly maxPayloadBytes?: number
  /** For how long a repeated `eventId` is recognised, in milliseconds: 1 second to 12 hours. @default 120_000 (2 minutes) */
  readonly dedupWindowMs?: number
  /** Publishes that may wait for the server. More are refused with BUS_UNAVAILABLE. @default 10_000 */
  readonly maxPendingCount?: number
  /** Bytes of data that may wait for the server, at least `maxPayloadBytes`. @default 67_108_864 (64 MiB) */
  readonly maxPendingBytes?: number
  /** How long a publish may take, in milliseconds. @default 10_000 */
  readonly publishTimeoutMs?: number
  /** How long a subscribe may wait for a connection, in milliseconds. @default 10_000 */
  readonly subscribeTimeoutMs?: number
}

/** {@link PostgresBusOptions} with every default filled in. */
export interface PostgresBusSettings
  extends Required<Omit<PostgresBusOptions, 'history' | 'connectionString' | 'pool'>> {
  readonly history: Required<PostgresHistoryOptions>
  readonly connectionString: string | undefined
  readonly pool: PostgresPool | undefined
}

/**
 * Checks the options and fills in the defaults.
 *
 * @throws SluiceError BAD_CONFIG, naming the option.
 */
export function resolvePostgresBusOptions(options: PostgresBusOptions): PostgresBusSettings {
  checkOptions('postgresBus', schema, options)
  const { connectionString, pool } = options
  if (connectionString === undefined && pool === undefined) {
    throw badConfig('it needs a "connectionString" or a "pool".')
  }
  if (connectionString !== undefined) checkConnectionString('postgresBus', connectionString)
  const { maxCount = 1_000, maxAgeMs = 3_600_000 } = options.history ?? {}
  const {
    schema: schemaName = 'sluice',
    migrate = true,
    pollMs = 50,
    heartbeatMs = 2_000,
    maxPayloadBytes = 1_048_576,
    dedupWindowMs = 120_000,
    maxPendingCount = 10_000,
    maxPendingBytes = Math.max(67_108_864, maxPayloadBytes),
    publishTimeoutMs = 10_000,
    subscribeTimeoutMs = 10_000,
  } = options
  if (maxPendingBytes < maxPayloadBytes) {
    throw badConfig(`"maxPendingBytes" has to be "maxPayloadBytes" (${maxPayloadBytes}) at least.`)
  }
  checkSchemaName(schemaName)
  return {
    connectionString,
    pool,
    schema: schemaName,
    migrate,
    history: { maxCount, maxAgeMs },
    pollMs,
    heartbeatMs,
    maxPayloadBytes,
    dedupWindowMs,
    maxPendingCount,
    maxPendingBytes,
    publishTimeoutMs,
    subscribeTimeoutMs,
  }
}

/**
 * A schema's name may hold any character but NUL; Postgres would cut one of more than 63 bytes without a word.
 *
 * @throws SluiceError BAD_CONFIG
 */
export function checkSchemaName(name: string): void {
  const bytes = Buffer.byteLength(name)
  if (bytes === 0 || bytes > 63) throw badConfig(`"schema" may have 1 to 63 bytes; it has ${bytes}.`)
  if (name.includes('\0') || !name.isWellFormed()) {
    throw badConfig('"schema" has a character in it that Postgres cannot store.')
  }
  if (/^pg_/i.test(name)) throw badConfig('"schema" may not begin with "pg_", which Postgres keeps for itself.')
}

function badConfig(what: string): SluiceError {
  return new SluiceError('BAD_CONFIG', `[postgresBus] ${what}`)
}

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(1))
/** What a timer of Node can wait: a longer one would fire at once. */
const maxTimerMs = 2_147_483_647
const durationMs = v.pipe(v.number(), v.minValue(1), v.maxValue(maxTimerMs))

const schema = v.strictObject({
  connectionString: v.optional(v.string()),
  pool: v.optional(
    v.custom<PostgresPool>(
      (value) =>
        typeof value === 'object' &&
        value !== null &&
        'connect' in value &&
        typeof value.connect === 'function' &&
        'options' in value,
      'has to be a Pool of pg',
    ),
  ),
  schema: v.optional(v.string()),
  migrate: v.optional(v.boolean()),
  history: v.optional(
    v.strictObject({ maxCount: v.optional(count), maxAgeMs: v.optional(v.pipe(v.number(), v.minValue(1))) }),
  ),
  pollMs: v.optional(durationMs),
  heartbeatMs: v.optional(v.pipe(v.number(), v.minValue(50), v.maxValue(maxTimerMs))),
  maxPayloadBytes: v.optional(v.pipe(count, v.maxValue(67_108_864))),
  dedupWindowMs: v.optional(v.pipe(v.number(), v.minValue(1_000), v.maxValue(43_200_000))),
  maxPendingCount: v.optional(count),
  maxPendingBytes: v.optional(count),
  publishTimeoutMs: v.optional(durationMs),
  subscribeTimeoutMs: v.optional(durationMs),
})
