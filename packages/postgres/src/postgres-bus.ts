import {
  type BusCapabilities,
  type BusEvent,
  type BusListener,
  type BusObserver,
  BusObservers,
  type BusSubscribeOptions,
  type BusSubscription,
  type ChannelKey,
  type EventBus,
  type EventInput,
  type HistoryOptions,
  type HistoryPage,
  type Position,
  type PublishReceipt,
  SluiceError,
  toBusEvent,
} from '@sluice/core'
import { Pool } from 'pg'
import { busClosed } from './bus-errors.ts'
import { eventValues } from './event-values.ts'
import { HistoryReader } from './history-reader.ts'
import { InboxSweep } from './inbox-sweep.ts'
import { type PostgresBusOptions, resolvePostgresBusOptions } from './options.ts'
import type { PostgresPool, TransactionClient } from './postgres-client.ts'
import { Publisher } from './publisher.ts'
import { Readiness } from './readiness.ts'
import { Reader } from './reader.ts'
import { Retention } from './retention.ts'
import { statementsFor } from './statements.ts'

/** What a Postgres bus holds at the moment. */
export interface PostgresBusStats {
  /** Channels that have a listener in this process. */
  readonly channelCount: number
  readonly listenerCount: number
  /** Subscriptions that wait for their acknowledgement. */
  readonly waitingSubscriptionCount: number
  /** Publishes that were not answered yet. */
  readonly pendingPublishCount: number
}

/** A bus whose events are rows. */
export interface PostgresBus extends EventBus {
  readonly name: 'postgres'
  /**
   * Publishes as part of a transaction of the caller's: the event exists if, and only if, that commits. It is the event of
   * `executor.publish`, checked and encoded in the same way. Instances find it within `pollMs` after the commit;
   * call `wake()` then to have it at once.
   *
   * @param client a client of `pg` in its transaction, or `{ query: (text, values) => … }` around a query builder's
   * @returns the event's id
   * @throws SluiceError BAD_EVENT or EVENT_TOO_LARGE before anything is sent. What the client throws comes through as it is; the
   * transaction is then aborted, as after any statement that failed.
   * @example
   * ```ts
   * await client.query('BEGIN')
   * await client.query('UPDATE orders SET status = $1 WHERE id = $2', ['paid', id])
   * await bus.publishIn(client, { tenantId, channel: `order:${id}`, type: 'paid', data: { id } })
   * await client.query('COMMIT')
   * ```
   */
  publishIn(client: TransactionClient, event: EventInput): Promise<string>
  /** Looks for events that were committed by others, now and not at the next poll. */
  wake(): void
  /**
   * Resolves once the schema is there and the bus listens. Nothing has to wait for it: publishes and subscriptions do so themselves.
   *
   * @throws SluiceError BUS_UNAVAILABLE after `timeoutMs` (10 seconds), with the last failure as its cause.
   */
  ready(options?: { readonly timeoutMs?: number }): Promise<void>
  /** What it holds at the moment, for metrics and for tests that nothing is left. */
  stats(): PostgresBusStats
}

/** For publishes that are under way when the bus is closed. */
const closeGraceMs = 2_000

/**
 * A bus on PostgreSQL 13 or newer. Events are durable and reach every process that has a bus on the same schema; an event can be
 * published in the transaction that changes the data it tells of. It connects on its own and does so again for as long as it
 * lives; what goes wrong meanwhile is told to `observe`'s `onError`.
 *
 * @throws SluiceError BAD_CONFIG, naming the option that is wrong.
 * @example
 * ```ts
 * const bus = postgresBus({ connectionString: process.env.DATABASE_URL })
 * ```
 */
export function postgresBus(options: PostgresBusOptions): PostgresBus {
  const settings = resolvePostgresBusOptions(options)
  const { connectionString, maxPayloadBytes, dedupWindowMs, heartbeatMs } = settings
  const capabilities: BusCapabilities = Object.freeze({
    durable: true,
    history: true,
    crossProcess: true,
    transactionalPublish: true,
    maxPayloadBytes,
    dedupWindowMs,
  })
  const ownPool =
    settings.pool === undefined
      ? new Pool({
          connectionString,
          max: 4,
          connectionTimeoutMillis: heartbeatMs,
          idleTimeoutMillis: 30_000,
          keepAlive: true,
          fallback_application_name: 'sluice',
        })
      : undefined
  // A connection that breaks in the pool is no news: the next statement takes another one.
  ownPool?.on('error', () => {})
  const pool: PostgresPool = settings.pool ?? (ownPool as Pool)
  const statements = statementsFor(settings.schema)
  const observers = new BusObservers()
  const readiness = new Readiness()
  const sweep = new InboxSweep()
  const reader = new Reader({
    settings,
    client:
      connectionString === undefined
        ? pool.options
        : { connectionString, keepAlive: true, fallback_application_name: 'sluice' },
    statements,
    sweep,
    observers,
    onReady: () => {
      readiness.reached()
      publisher.start()
    },
    onHindered: (error) => {
      readiness.hindered(error)
      publisher.hindered(error)
    },
  })
  const publisher = new Publisher({ ...settings, pool, statements, sweep, onDrained: () => reader.wake() })
  const histories = new HistoryReader({
    pool,
    statements,
    timeoutMs: settings.subscribeTimeoutMs,
    readiness,
    epoch: () => reader.channels.epoch,
  })
  const retention = new Retention({ settings, pool, statements, observers })
  let closing: Promise<void> | undefined

  function assertOpen(): void {
    if (closing !== undefined) throw busClosed()
  }

  async function publish(event: BusEvent): Promise<PublishReceipt> {
    assertOpen()
    return publisher.publish(event)
  }

  async function publishIn(client: TransactionClient, event: EventInput): Promise<string> {
    assertOpen()
    const checked = toBusEvent(event)
    const values = eventValues(checked, maxPayloadBytes)
    await client.query(statements.insertOne, [
      values.channelKey,
      values.eventId,
      values.type,
      values.userId,
      values.data,
      values.headers,
      values.publishedAt,
    ])
    return checked.eventId
  }

  async function subscribe(
    key: ChannelKey,
    { from, signal }: BusSubscribeOptions,
    listener: BusListener,
  ): Promise<BusSubscription> {
    assertOpen()
    signal?.throwIfAborted()
    return reader.subscribe(key, from, listener, signal)
  }

  async function history(key: ChannelKey, { after, limit }: HistoryOptions): Promise<HistoryPage> {
    assertOpen()
    if (!Number.isSafeInteger(limit) || limit < 1) {
      throw new SluiceError(
        'BAD_CONFIG',
        `[postgresBus] history: "limit" has to be a whole number of at least 1; it is ${String(limit)}`,
      )
    }
    return histories.page(key, after, limit)
  }

  async function position(key: ChannelKey): Promise<Position> {
    assertOpen()
    return histories.position(key)
  }

  async function end(): Promise<void> {
    retention.stop()
    readiness.closed(busClosed())
    await publisher.close(closeGraceMs)
    await reader.close()
    await retention.ended()
    await ownPool?.end()
  }

  function close(): Promise<void> {
    closing ??= end()
    return closing
  }

  reader.start()
  retention.start()

  return {
    name: 'postgres',
    capabilities,
    publish,
    publishIn,
    subscribe,
    history,
    position,
    wake: () => reader.poll(),
    ready: ({ timeoutMs = 10_000 } = {}) => readiness.wait(timeoutMs),
    status: () => (closing === undefined ? reader.status : 'closed'),
    observe: (observer: BusObserver) => observers.add(observer),
    drain: () => publisher.drain(),
    close,
    stats: () => ({
      channelCount: reader.channels.channelCount,
      listenerCount: reader.channels.listenerCount,
      waitingSubscriptionCount: reader.waitingCount,
      pendingPublishCount: publisher.pendingCount,
    }),
    [Symbol.asyncDispose]: close,
  }
}
