import { SluiceError } from '../errors.ts'
import { BusObservers } from './bus-observers.ts'
import { dataBytesOf } from './carried-event.ts'
import { type ChannelKey, encodeChannelKey } from './channel-key.ts'
import { Dispatcher } from './dispatcher.ts'
import type {
  BusCapabilities,
  BusEvent,
  BusListener,
  BusNotification,
  BusObserver,
  BusStatus,
  BusSubscribeOptions,
  EventBus,
  HistoryOptions,
  HistoryPage,
  Position,
  PublishReceipt,
} from './event-bus.ts'
import { EventIdWindow } from './event-id-window.ts'
import { type MemoryBusOptions, resolveMemoryBusOptions } from './memory-bus-options.ts'
import type { MemoryChannel, ResumePoint } from './memory-channel.ts'
import { MemoryChannels } from './memory-channels.ts'
import { MemorySubscription } from './memory-subscription.ts'

/** What a memory bus holds at the moment. */
export interface MemoryBusStats {
  /** Channels that have a listener, or had one or an event lately. */
  readonly channelCount: number
  readonly listenerCount: number
  /** All histories together. */
  readonly historyBytes: number
  /** Event ids that are remembered against being published twice. */
  readonly eventIdCount: number
}

/** The bus of one process. */
export interface MemoryBus extends EventBus {
  /** What it holds at the moment, for metrics and for tests that nothing is left. */
  stats(): MemoryBusStats
}

/**
 * A bus within one process: the default, and the reference for all others. Listeners are called before
 * `publish` returns. Its memory is bounded by the options whatever is published, and it starts no timer.
 * Its history is lost with the process: whoever resumes in another one is told a gap, `epoch`.
 *
 * @throws SluiceError BAD_CONFIG, naming the option that is wrong.
 * @example
 * ```ts
 * const bus = memoryBus({ history: { maxCount: 100 } })
 * ```
 */
export function memoryBus(options: MemoryBusOptions = {}): MemoryBus {
  const limits = resolveMemoryBusOptions(options)
  const { maxPayloadBytes, dedupWindowMs, maxNestedCount, now: clock } = limits
  const capabilities: BusCapabilities = Object.freeze({
    durable: false,
    history: true,
    crossProcess: false,
    transactionalPublish: false,
    maxPayloadBytes,
    dedupWindowMs,
  })
  const channels = new MemoryChannels(limits)
  const eventIds = new EventIdWindow({ windowMs: dedupWindowMs, maxCount: limits.maxEventIdCount })
  const observers = new BusObservers()
  const dispatcher = new Dispatcher((error) => observers.error(error))
  let listenerCount = 0
  let isClosed = false

  async function publish(event: BusEvent): Promise<PublishReceipt> {
    assertOpen()
    const bytes = dataBytesOf(event)
    if (bytes > maxPayloadBytes) throw tooLarge(bytes, maxPayloadBytes)
    const now = clock()
    const id = encodeChannelKey(event.channel)
    const known = eventIds.find(id, event.eventId, now)
    if (known !== undefined) return { position: known, duplicate: true }
    if (dispatcher.waitingCount >= maxNestedCount) throw tooNested(maxNestedCount)
    const channel = channels.open(id, event.channel)
    const notification = channels.append(channel, event, now)
    eventIds.remember(id, event.eventId, notification.position, now)
    channels.release(channel)
    dispatcher.dispatch(channel, notification, channel.history.lastOffset)
    return { position: notification.position, duplicate: false }
  }

  async function subscribe(
    key: ChannelKey,
    { from, signal }: BusSubscribeOptions,
    listener: BusListener,
  ): Promise<MemorySubscription> {
    assertOpen()
    signal?.throwIfAborted()
    const channel = open(key)
    const missed = from === 'live' ? [] : replayFrom(channel, from)
    const { lastOffset } = channel.history
    const subscription = new MemorySubscription(listener, channel.position(lastOffset), lastOffset, (ended) =>
      release(channel, ended),
    )
    channel.listeners.add(subscription)
    listenerCount += 1
    channels.release(channel)
    if (missed.length > 0) dispatcher.replay(channel, subscription, missed)
    return subscription
  }

  async function history(key: ChannelKey, { after, limit }: HistoryOptions): Promise<HistoryPage> {
    assertOpen()
    if (!Number.isSafeInteger(limit) || limit < 1) throw badLimit(limit)
    const channel = open(key)
    const start: ResumePoint =
      after === undefined ? { offset: channel.history.droppedOffset, gap: undefined } : channel.resumePoint(after)
    const events = channel.history.after(start.offset, limit)
    const end = start.offset + events.length
    channels.release(channel)
    return {
      events,
      position: channel.position(end),
      hasMore: end < channel.history.lastOffset,
      ...(start.gap === undefined ? undefined : { gap: start.gap }),
    }
  }

  async function position(key: ChannelKey): Promise<Position> {
    assertOpen()
    const channel = open(key)
    channels.release(channel)
    return channel.position(channel.history.lastOffset)
  }

  async function close(): Promise<void> {
    if (isClosed) return
    isClosed = true
    const subscriptions: MemorySubscription[] = []
    for (const { listeners } of channels.withListeners()) {
      for (const subscription of listeners) subscriptions.push(subscription)
      listeners.clear()
    }
    listenerCount = 0
    channels.clear()
    eventIds.clear()
    dispatcher.farewell(subscriptions)
    observers.status('closed')
  }

  function open(key: ChannelKey): MemoryChannel {
    const channel = channels.open(encodeChannelKey(key), key)
    channels.trim(channel, clock())
    return channel
  }

  function release(channel: MemoryChannel, subscription: MemorySubscription): void {
    if (!channel.listeners.delete(subscription)) return
    listenerCount -= 1
    channels.release(channel)
  }

  function assertOpen(): void {
    if (isClosed) throw new SluiceError('BUS_CLOSED', '[memoryBus] was closed; make another one')
  }

  return {
    name: 'memory',
    capabilities,
    publish,
    subscribe,
    history,
    position,
    status: (): BusStatus => (isClosed ? 'closed' : 'up'),
    observe: (observer: BusObserver) => observers.add(observer),
    // A publish is done when its call returns, so there is never one under way.
    drain: () => Promise.resolve(),
    close,
    stats: () => ({
      channelCount: channels.count,
      listenerCount,
      historyBytes: channels.historyBytes,
      eventIdCount: eventIds.count,
    }),
    [Symbol.asyncDispose]: close,
  }
}

/** What a listener is told before anything live: the gap, if there is one, and what is kept after it. */
function replayFrom(channel: MemoryChannel, from: Position): BusNotification[] {
  const { offset, gap } = channel.resumePoint(from)
  const events: BusNotification[] = channel.history.after(offset, Number.POSITIVE_INFINITY)
  return gap === undefined ? events : [{ kind: 'gap', reason: gap, position: channel.position(offset) }, ...events]
}

function tooLarge(bytes: number, maxBytes: number): SluiceError {
  return new SluiceError(
    'EVENT_TOO_LARGE',
    `[memoryBus] the event has ${bytes} bytes of data, more than ${maxBytes}; publish less or raise maxPayloadBytes`,
  )
}

function tooNested(maxCount: number): SluiceError {
  return new SluiceError(
    'BUS_UNAVAILABLE',
    `[memoryBus] listeners published more than ${maxCount} events while one was told; is there a circle?`,
  )
}

function badLimit(limit: unknown): SluiceError {
  return new SluiceError(
    'BAD_CONFIG',
    `[memoryBus] history: "limit" has to be a whole number of at least 1; it is ${String(limit)}`,
  )
}
