import type { BusCapabilities, BusEvent, ChannelKey, EventBus } from '@sluice/core'

/** What the suite asks of the backend that it is given. */
export interface BusContractWishes {
  /** Keep no more than about so many events of a channel. Without it: at least 5,000, for at least a minute. */
  readonly historyCount?: number
}

/** A bus on a backend of its own. */
export interface BusContractBackend {
  readonly bus: EventBus
  /** Another instance on the same backend, as another process would have it. Needed if `durable` or `crossProcess`. */
  another?(): Promise<EventBus>
  /** Needed if `transactionalPublish`: publishes in a transaction, then ends it so. */
  publishInTransaction?(event: BusEvent, end: 'commit' | 'rollback'): Promise<void>
  /** Has the retention delete what it may, on a bus where publishing alone does not. */
  trim?(channel: ChannelKey): Promise<void>
  /**
   * What the bus still holds for subscriptions after all of them were closed, by name: listeners, channels
   * at the broker. If the release lingers, wait for it here. Every number has to be 0.
   */
  leftovers(): Promise<Readonly<Record<string, number>>>
  /** Closes the instances, and what was opened for them. */
  close(): Promise<void>
}

/** How the suite gets a bus. */
export interface BusContractFactory {
  /** What the bus says it can do: it is compared with the bus's own claim, and every one is proved. */
  readonly capabilities: BusCapabilities
  /** An empty backend that no other test sees, such as a key prefix or a schema of its own, and a bus on it. */
  create(wishes: BusContractWishes): Promise<BusContractBackend>
}
