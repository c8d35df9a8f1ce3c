/**
 * What happens when a subscriber reads more slowly than events arrive.
 *
 * - `'disconnect'`: its stream ends with SLOW_CONSUMER; it subscribes again and knows that it missed something.
 * - `'dropOldest'` and `'dropNewest'`: it goes on, without the oldest waiting or the newest responses. The next
 *   result that it gets carries `extensions.sluice.gap = { reason: 'overflow' }`.
 *
 * A slow reader never holds up its group.
 */
export type OverflowPolicy = 'disconnect' | 'dropOldest' | 'dropNewest'

/** When, and with what, it happens. */
export interface OverflowOptions {
  /** Responses that may wait for one subscription. @default 1024 */
  readonly maxPendingCount: number
  /** Bytes that may wait for one subscription, or on one shared socket. @default 1048576 */
  readonly maxPendingBytes: number
  /** @default 'disconnect' */
  readonly policy: OverflowPolicy
}
