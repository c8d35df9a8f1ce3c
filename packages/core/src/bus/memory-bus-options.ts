import * as v from 'valibot'
import { checkOptions } from '../check-options.ts'
import { SluiceError } from '../errors.ts'
import type { HistoryLimits } from './history-ring.ts'

/**
 * The limits of a {@link memoryBus}. All of them are about memory: what is over one is forgotten, oldest
 * first, and a subscriber who resumes from before that is told a gap. Bytes count an event's data and envelope.
 */
export interface MemoryBusOptions {
  /** What is kept of each channel, for subscribers who resume. */
  readonly history?: {
    /** Events per channel, at least 1. @default 1_000 */
    readonly maxCount?: number
    /** Bytes per channel. @default 4_194_304 (4 MiB) */
    readonly maxBytes?: number
    /** How long an event is kept, in milliseconds; `Infinity` is allowed. @default 300_000 (5 minutes) */
    readonly maxAgeMs?: number
  }
  /**
   * Bytes of all histories together, at least `history.maxBytes`. The channel that was longest without an event
   * loses its history first.
   *
   * @default 67_108_864 (64 MiB), or `history.maxBytes` if that is more
   */
  readonly maxTotalBytes?: number
  /** Channels without a listener that are remembered; the one longest out of use is forgotten first. @default 10_000 */
  readonly maxIdleChannelCount?: number
  /** The largest `data` of an event, in bytes. @default 1_048_576 (1 MiB) */
  readonly maxPayloadBytes?: number
  /** For how long a repeated `eventId` is recognised, in milliseconds; 0 never. @default 120_000 (2 minutes) */
  readonly dedupWindowMs?: number
  /**
   * Event ids that are remembered at most (and half as many at least): if more are published within
   * `dedupWindowMs`, the oldest are forgotten before their time.
   *
   * @default 200_000
   */
  readonly maxEventIdCount?: number
  /**
   * Events that listeners may publish while one is being told. More are refused with BUS_UNAVAILABLE.
   *
   * @default 10_000
   */
  readonly maxNestedCount?: number
  /** A clock in milliseconds that never goes back. @default performance.now */
  readonly now?: () => number
}

/** {@link MemoryBusOptions} with every default filled in. */
export interface MemoryBusLimits extends Required<Omit<MemoryBusOptions, 'history'>> {
  readonly history: HistoryLimits
}

/**
 * Checks the options and fills in the defaults.
 *
 * @throws SluiceError BAD_CONFIG, naming the option.
 */
export function resolveMemoryBusOptions(options: MemoryBusOptions): MemoryBusLimits {
  checkOptions('memoryBus', schema, options)
  const { maxCount = 1_000, maxBytes = 4_194_304, maxAgeMs = 300_000 } = options.history ?? {}
  const {
    maxTotalBytes = Math.max(67_108_864, maxBytes),
    maxIdleChannelCount = 10_000,
    maxPayloadBytes = 1_048_576,
    dedupWindowMs = 120_000,
    maxEventIdCount = 200_000,
    maxNestedCount = 10_000,
    now = () => performance.now(),
  } = options
  if (maxTotalBytes < maxBytes) {
    throw new SluiceError(
      'BAD_CONFIG',
      `[memoryBus] "maxTotalBytes" has to be "history.maxBytes" (${maxBytes}) at least; it is ${maxTotalBytes}.`,
    )
  }
  return {
    history: { maxCount, maxBytes, maxAgeMs },
    maxTotalBytes,
    maxIdleChannelCount,
    maxPayloadBytes,
    dedupWindowMs,
    maxEventIdCount,
    maxNestedCount,
    now,
  }
}

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const positiveCount = v.pipe(v.number(), v.safeInteger(), v.minValue(1))
const durationMs = v.pipe(v.number(), v.minValue(0))

const schema = v.strictObject({
  history: v.optional(
    v.strictObject({
      maxCount: v.optional(positiveCount),
      maxBytes: v.optional(count),
      maxAgeMs: v.optional(durationMs),
    }),
  ),
  maxTotalBytes: v.optional(count),
  maxIdleChannelCount: v.optional(count),
  maxPayloadBytes: v.optional(positiveCount),
  dedupWindowMs: v.optional(durationMs),
  maxEventIdCount: v.optional(count),
  maxNestedCount: v.optional(count),
  now: v.optional(v.function()),
})
