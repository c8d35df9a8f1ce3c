import {
  type BusCapabilities,
  type BusEvent,
  type BusListener,
  type BusObserver,
  BusObservers,
  type BusStatus,
  type BusSubscribeOptions,
  type BusSubscription,
  type ChannelKey,
  type EventBus,
  type HistoryOptions,
  type HistoryPage,
  type Position,
  type PublishReceipt,
  withTimeLimit,
} from '@sluice/core'
import { Channels } from './channel/channels.ts'
import { RedisSubscription } from './channel/subscription.ts'
import { closed, Commands } from './connection/commands.ts'
import { connectorFor } from './connection/connect.ts'
import { busError } from './connection/reply-error.ts'
import { formatPosition, parsePosition } from './cursor.ts'
import { channelNames } from './keys.ts'
import { Publisher } from './publisher.ts'
import { FrameBudget } from './reader/frame-buffer.ts'
import { readHistory } from './reader/read-history.ts'
import { cursorAtTop } from './reader/page.ts'
import { Pages } from './reader/pages.ts'
import { Tops } from './reader/tops.ts'
import { type RedisBusOptions, resolveRedisBusOptions } from './redis-bus-options.ts'
import { ClusterWire } from './wire/cluster-wire.ts'
import { singleWire } from './wire/single-wire.ts'

/** What a Redis bus holds at the moment. */
export interface RedisBusStats {
  /** Channels that are subscribed to at Redis, those that nobody is on any more but that linger included. */
  readonly channelCount: number
  readonly subscriptionCount: number
  /** Events that wait to be published, or whose reply has not come. */
  readonly pendingPublishCount: number
}

/** The bus of all processes that use one Redis. */
export interface RedisBus extends EventBus {
  /** The option `consumerGroup`. */
  readonly consumerGroup: string
  /** What it holds at the moment, for metrics and for tests that nothing is left. */
  stats(): RedisBusStats
}

/** What is kept of the wire while channels are replayed. What is more than that is read from the stream instead. */
const maxBufferedBytes = 67_108_864

/** How long `close` waits for events that are on their way. */
const closeTimeoutMs = 1_000

/**
 * A bus on Redis 7 or later, or Valkey: every process gets every event of the channels that its subscribers are on, in order, and
 * whoever was cut off gets what it missed, or is told that there is a gap. A stream per channel is the truth; pub/sub is the wire.
 *
 * It connects at once, and again whenever a connection breaks; until then `status()` is `down`, events wait to be published
 * for `publishTimeoutMs`, and `subscribe` waits for as long as its signal lets it.
 *
 * @throws SluiceError BAD_CONFIG, naming the option that is wrong.
 * @example
 * ```ts
 * const bus = redisBus({ url: 'redis://localhost:6379', consumerGroup: 'api' })
 * ```
 */
export function redisBus(options: RedisBusOptions): RedisBus {
  const limits = resolveRedisBusOptions(options)
  const { consumerGroup, keyPrefix, publishTimeoutMs, heartbeatMs, lingerMs, checkIntervalMs, recordTtlMs } = limits
  const connector = connectorFor(limits.target)
  const space = { keyPrefix, database: connector.database }
  const capabilities: BusCapabilities = Object.freeze({
    durable: true,
    history: true,
    crossProcess: true,
    transactionalPublish: false,
    maxPayloadBytes: limits.maxPayloadBytes,
    dedupWindowMs: limits.dedupWindowMs,
  })
  const observers = new BusObservers()
  const onError = (error: unknown): void => observers.error(error)
  let status: BusStatus = 'down'
  let closing: Promise<void> | undefined

  const commands: Commands = new Commands({
    open: () => connector.open(`sluice:${consumerGroup}:publisher`),
    heartbeatMs,
    onUp: () => {
      publisher.connected()
      if (wire instanceof ClusterWire) wire.clusterConnected()
      updateStatus()
    },
    onDown: updateStatus,
    onTrouble: (error) => onError(trouble('publisher', error)),
  })
  const tops = new Tops(commands, recordTtlMs)
  const pages = new Pages(commands, recordTtlMs)
  const publisher = new Publisher(commands, space, limits, connector.isCluster ? 'SPUBLISH' : 'PUBLISH')
  const channels = new Channels({
    space,
    lingerMs,
    checkIntervalMs,
    services: { commands, tops, pages, budget: new FrameBudget(maxBufferedBytes), onError },
  })
  const connectionName = `sluice:${consumerGroup}:subscriber`
  const wireOptions = {
    heartbeatMs,
    listener: channels.wireListener,
    onChange: updateStatus,
    onTrouble: (error: Error) => onError(trouble('subscriber', error)),
  }
  const wire = connector.isCluster
    ? new ClusterWire({ ...wireOptions, commands, connectionName })
    : singleWire({ ...wireOptions, open: () => connector.open(connectionName) })

  channels.start(wire)
  commands.start()
  wire.start()

  function trouble(who: string, cause: Error): Error {
    const what = `no connection of the ${who} to ${connector.description} (${cause.message})`
    return busError('BUS_UNAVAILABLE', `${what}; it is tried again, and what was missed is read then`, cause)
  }

  function updateStatus(): void {
    if (closing !== undefined) return
    const now: BusStatus = commands.isUp && wire.isUp ? 'up' : commands.isUp || wire.isUp ? 'degraded' : 'down'
    if (now === status) return
    status = now
    observers.status(now)
    channels.tell(Object.freeze({ kind: 'status', status: now }))
  }

  function assertOpen(): void {
    if (closing !== undefined) throw closed()
  }

  function publish(event: BusEvent): Promise<PublishReceipt> {
    return closing === undefined ? publisher.publish(event) : Promise.reject(closed())
  }

  async function subscribe(
    key: ChannelKey,
    { from, signal }: BusSubscribeOptions,
    listener: BusListener,
  ): Promise<BusSubscription> {
    assertOpen()
    signal?.throwIfAborted()
    const channel = channels.open(key)
    const subscription = new RedisSubscription(listener, onError, (ended) => {
      channel.leave(ended)
      channels.release(channel)
    })
    const joined = channel.join(subscription, from === 'live' ? undefined : parsePosition(from))
    try {
      await (signal === undefined ? joined : unlessAborted(joined, signal))
    } catch (error) {
      await subscription.close()
      throw error
    }
    return subscription
  }

  async function history(key: ChannelKey, { after, limit }: HistoryOptions): Promise<HistoryPage> {
    assertOpen()
    if (!Number.isSafeInteger(limit) || limit < 1) {
      throw busError('BAD_CONFIG', `history: "limit" has to be a whole number of at least 1; it is ${String(limit)}`)
    }
    const names = channelNames(space, key)
    const cursor = after === undefined ? undefined : parsePosition(after)
    return inTime((signal) => readHistory({ pages, key, names, cursor, limit, signal, onError }))
  }

  async function position(key: ChannelKey): Promise<Position> {
    assertOpen()
    return formatPosition(cursorAtTop(await inTime((signal) => tops.askAlone(channelNames(space, key), signal))))
  }

  async function inTime<T>(ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const given = new AbortController()
    const error = busError('BUS_UNAVAILABLE', `Redis did not answer within ${publishTimeoutMs} ms`)
    return withTimeLimit(ask(given.signal), publishTimeoutMs, () => {
      given.abort(error)
      throw error
    })
  }

  async function end(): Promise<void> {
    if (commands.isUp) await withTimeLimit(publisher.drain(), closeTimeoutMs, () => undefined)
    publisher.close()
    channels.close()
    status = 'closed'
    observers.status('closed')
    await Promise.all([wire.stop(), commands.stop()])
  }

  function close(): Promise<void> {
    closing ??= end()
    return closing
  }

  return {
    name: 'redis',
    consumerGroup,
    capabilities,
    publish,
    subscribe,
    history,
    position,
    status: () => status,
    observe: (observer: BusObserver) => observers.add(observer),
    drain: () => publisher.drain(),
    close,
    stats: () => ({
      channelCount: channels.count,
      subscriptionCount: channels.subscriptionCount,
      pendingPublishCount: publisher.heldCount,
    }),
    [Symbol.asyncDispose]: close,
  }
}

/** The promise, or the signal's reason if it is aborted first. */
function unlessAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error)
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
