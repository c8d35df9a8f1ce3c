import type { ChannelKey } from './channel-key.ts'

/**
 * Where a subscriber is in the history of one channel: an opaque string, comparable by the bus that gave
 * it, with the epoch of the history in it. It carries no authority: whoever presents one is authorised anew,
 * and the channel is derived from the operation, never from the position.
 */
export type Position = string & { readonly [positionBrand]: never }
declare const positionBrand: unique symbol

/** One event as a bus carries it: an envelope, and data that is already encoded. */
export interface BusEvent {
  readonly channel: ChannelKey
  /** 1 to 256 UTF-16 code units. */
  readonly type: string
  /**
   * The JSON of the event's `data`, UTF-8. A bus never looks inside and never changes it; listeners share it
   * and must not write into it. The publisher may reuse its own array once `publish` has returned its promise.
   */
  readonly data: Uint8Array
  /** Only this user's subscriptions may receive it. */
  readonly userId?: string
  /** Within `capabilities.dedupWindowMs`, events of one channel with the same id are one event. */
  readonly eventId: string
  /** Milliseconds since the Unix epoch, by the publisher's clock. */
  readonly publishedAt: number
  /** Anything that travels with the event, such as a trace context. */
  readonly headers?: Readonly<Record<string, string>>
}

/** Why the history cannot be given whole. */
export type GapReason =
  /** The entries that are missing were deleted by the bus's retention. */
  | 'trimmed'
  /** The history began anew: another process, an emptied server. Also what a text that is no position is told. */
  | 'epoch'
  /** The history was replaced by another that shares its epoch, as after a failover that lost its tail. */
  | 'fork'

/** What a bus tells the listener of a channel. */
export type BusNotification =
  | { readonly kind: 'event'; readonly event: BusEvent; readonly position: Position }
  /** The place to resume from moved without an event (for example past one that was deduplicated). */
  | { readonly kind: 'advance'; readonly position: Position }
  /** Events may be missing before the next one. It is said exactly once per interruption. */
  | { readonly kind: 'gap'; readonly reason: GapReason; readonly position: Position }
  | { readonly kind: 'status'; readonly status: BusStatus }

/**
 * Called synchronously, one notification at a time and in the order of the channel. It may publish,
 * subscribe and close: what it publishes is told after the current notification has reached everybody. An
 * exception that it throws reaches neither another listener nor the connection; it goes to the bus's observers.
 */
export type BusListener = (notification: BusNotification) => void

/** `up`: everything works. `degraded`: connected in part, events may be late. `down`: no connection. */
export type BusStatus = 'up' | 'degraded' | 'down' | 'closed'

/** What a bus can do. The contract suite proves every claim. */
export interface BusCapabilities {
  /** An accepted event outlives the process that published it. */
  readonly durable: boolean
  /** `history`, `position` and a subscription `from` a position work. */
  readonly history: boolean
  /** Events reach the subscribers of other processes. */
  readonly crossProcess: boolean
  /** An event can be published as part of a database transaction of the caller's. */
  readonly transactionalPublish: boolean
  /** The largest `data`, in bytes. A larger one is refused before anything is sent. */
  readonly maxPayloadBytes: number
  /** For how long a repeated `eventId` is recognised, in milliseconds. */
  readonly dedupWindowMs: number
}

/** What became of a published event. */
export interface PublishReceipt {
  /** Where the event is in its channel; of a repeated `eventId`, where the first one is. */
  readonly position: Position
  /** Whether this `eventId` was already there, so that nothing was published now. */
  readonly duplicate: boolean
}

/** One listener's subscription to one channel. */
export interface BusSubscription extends AsyncDisposable {
  /** Where the channel was when the backend acknowledged: events after it reach the listener. */
  readonly position: Position
  /**
   * Ends it. The listener is not called again, from this moment on; the promise resolves when what the
   * bus held for it is released. Idempotent. The last listener to leave a channel releases the channel,
   * others are not touched.
   */
  close(): Promise<void>
}

/** A part of a channel's history, oldest first. */
export interface HistoryPage {
  readonly events: readonly { readonly event: BusEvent; readonly position: Position }[]
  /** The position after the last event of the page: pass it as `after` for the next page. */
  readonly position: Position
  /** Whether there are more events behind `position`. */
  readonly hasMore: boolean
  /** Set if events between `after` and the first of this page are gone. */
  readonly gap?: GapReason
}

/** Who hears about the bus as a whole. */
export interface BusObserver {
  /** Every change of {@link EventBus.status}. */
  readonly onStatus?: (status: BusStatus) => void
  /** What a listener threw, and failures that no call returns. */
  readonly onError?: (error: unknown) => void
}

/**
 * The contract between the executor and whatever carries its events.
 *
 * **Order** is per channel: every listener of a channel, in every process, hears its events in one and the
 * same order. There is no order between channels.
 *
 * **Delivery** is exactly once and in order at the listener, from the acknowledged position on, whatever
 * happens on the wire; where a bus cannot keep that it says `gap`, once, and goes on. Connection loss is
 * never silent: the status changes, and events arrive after it or a gap is told.
 *
 * **Memory** is bounded whatever a publisher or a broken backend does; the error of a limit is typed.
 *
 * **Errors** are `SluiceError`s: BUS_UNAVAILABLE (nothing was sent; retry), BUS_OUTCOME_UNKNOWN (retry with
 * the same `eventId`), EVENT_TOO_LARGE (before anything is sent), BUS_CLOSED.
 *
 * A bus carries bytes: it imports nothing of graphql and knows no tenant's rights. Implement it, then run
 * `busContract` of `@sluice/testkit` against it.
 */
export interface EventBus extends AsyncDisposable {
  /** For metrics and messages: `memory`, `redis`, `postgres`. */
  readonly name: string
  readonly capabilities: BusCapabilities

  /** Resolves when the backend has accepted the event. */
  publish(event: BusEvent): Promise<PublishReceipt>

  /**
   * Resolves after the backend acknowledged: what is published after that reaches the listener. From a
   * position, the history after it is told first, then what is live, without a hole, a repetition or a
   * change of order between them; if it cannot be given whole, one `gap` comes first, then what is kept. A
   * position that this bus never gave, whatever text it is, is a gap `epoch`, never an error.
   *
   * The listener can be called as soon as the backend acknowledged, before the caller sees the promise resolve.
   * Aborting the signal before the acknowledgement rejects with its reason and releases everything.
   */
  subscribe(channel: ChannelKey, options: BusSubscribeOptions, listener: BusListener): Promise<BusSubscription>

  /**
   * At most `limit` events after a position (`undefined`: from the oldest that is kept).
   *
   * @throws SluiceError BAD_CONFIG if the limit is no whole number of at least 1.
   */
  history(channel: ChannelKey, options: HistoryOptions): Promise<HistoryPage>

  /** Where the channel is now. Everything accepted before the call is at or before it. */
  position(channel: ChannelKey): Promise<Position>

  status(): BusStatus

  /** Registers an observer; the returned function removes it. */
  observe(observer: BusObserver): () => void

  /** Resolves when every publish that was under way has settled. New ones are still taken. */
  drain(): Promise<void>

  /**
   * Ends all subscriptions and connections that the bus opened. The last thing that each listener hears is
   * `status: closed`. Idempotent. Later calls of `publish`, `subscribe`, `history` and `position`: BUS_CLOSED.
   */
  close(): Promise<void>
}

/** Where a subscription begins. */
export interface BusSubscribeOptions {
  /** `'live'`: after the acknowledgement. A position: right after it. */
  readonly from: 'live' | Position
  readonly signal?: AbortSignal
}

/** Which part of a history to give. */
export interface HistoryOptions {
  readonly after?: Position
  /** At least 1. */
  readonly limit: number
}
