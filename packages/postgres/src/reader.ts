import {
  type BusListener,
  type BusObservers,
  type BusStatus,
  type BusSubscription,
  type ChannelKey,
  encodeChannelKey,
  type Position,
} from '@sluice/core'
import { busClosed, unavailable } from './bus-errors.ts'
import { type ChannelState, resumePoint, topPosition } from './channel-state.ts'
import { FollowedChannel } from './followed-channel.ts'
import { FollowedChannels } from './followed-channels.ts'
import type { InboxSweep } from './inbox-sweep.ts'
import { ListeningConnection } from './listening-connection.ts'
import { LogQueries } from './log-queries.ts'
import { expectMigrated, migrate } from './migrations.ts'
import type { PostgresBusSettings } from './options.ts'
import { parsePosition } from './position.ts'
import { PostgresSubscription } from './postgres-subscription.ts'
import { quoteIdentifier } from './quote.ts'
import { Signal } from './signal.ts'
import type { Statements } from './statements.ts'
import { type SubscribeRequest, SubscribeRequests } from './subscribe-requests.ts'

const acknowledgeCount = 500
const drainCount = 500
const idlePollMs = 1_000
const migrationTimeoutMs = 60_000
const firstBackoffMs = 50
const maxBackoffMs = 5_000
/** Where events are kept for less than this, places are not compared more often all the same. */
const minRecheckMs = 1_000

export interface ReaderOptions {
  readonly settings: PostgresBusSettings
  /** The options of a client of `pg`. */
  readonly client: object
  readonly statements: Statements
  readonly sweep: InboxSweep
  readonly observers: BusObservers
  /** The schema is there. Called after each connect. */
  readonly onReady: () => void
  /** Connecting failed, or the connection was lost. */
  readonly onHindered: (error: unknown) => void
}

/**
 * The listening side: one connection, one loop. It acknowledges subscriptions, drains what others put into the inbox, reads
 * what is new by `seq`, and what single channels or subscriptions lack by offset; one query at a time, so that each
 * sees at least what the one before it saw.
 */
export class Reader {
  readonly #options: ReaderOptions
  readonly channels: FollowedChannels
  readonly #requests: SubscribeRequests
  readonly #signal = new Signal()
  readonly #pause = new Signal()
  #connection: ListeningConnection | undefined
  #cursor = 0
  #syncedMs = 0
  /** The server's clock at the last read. */
  #readMs = 0
  #isWoken = false
  #isPollDue = false
  #isClosed = false
  #status: BusStatus = 'down'
  #lastError: unknown
  #ended: Promise<void> | undefined

  constructor(options: ReaderOptions) {
    this.#options = options
    this.channels = new FollowedChannels(options.observers)
    this.#requests = new SubscribeRequests(options.settings.subscribeTimeoutMs, () => this.#lastError)
  }

  get status(): BusStatus {
    return this.#status
  }

  /** Subscriptions that wait for their acknowledgement. */
  get waitingCount(): number {
    return this.#requests.count
  }

  start(): void {
    this.#ended = this.#run()
  }

  /** There may be something new in the log. */
  wake(): void {
    this.#isWoken = true
    this.#signal.set()
  }

  /** There may be something new in the inbox. */
  poll(): void {
    this.#isPollDue = true
    this.#signal.set()
  }

  subscribe(
    key: ChannelKey,
    from: Position | 'live',
    listener: BusListener,
    signal: AbortSignal | undefined,
  ): Promise<BusSubscription> {
    const subscribing = this.#requests.add(key, from, listener, signal)
    this.#signal.set()
    return subscribing
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#requests.rejectAll(busClosed())
    this.#signal.set()
    this.#pause.set()
    await this.#connection?.close()
    await this.#ended
    const farewells = this.channels.clear()
    this.#status = 'closed'
    for (const subscription of farewells) this.channels.tell(subscription, { kind: 'status', status: 'closed' })
    this.#options.observers.status('closed')
  }

  async #run(): Promise<void> {
    let backoffMs = firstBackoffMs
    while (!this.#isClosed) {
      try {
        const connection = await this.#connect()
        this.#connection = connection
        try {
          await this.#reconnected(connection)
          backoffMs = firstBackoffMs
          this.#lastError = undefined
          this.#setStatus('up')
          this.#options.onReady()
          await this.#serve(connection)
        } finally {
          this.#connection = undefined
          await connection.close()
        }
      } catch (error) {
        if (this.#isClosed) return
        this.#lastError = error
        this.#options.onHindered(error)
        this.#setStatus(this.#status === 'up' ? 'degraded' : 'down')
        this.#options.observers.error(unavailable('lost the listening connection; it is opened again', error))
        await this.#pause.wait(backoffMs * (0.5 + Math.random() / 2))
        backoffMs = Math.min(maxBackoffMs, backoffMs * 2)
      }
    }
  }

  async #connect(): Promise<ListeningConnection> {
    const { client, settings } = this.#options
    const connection = await ListeningConnection.open({
      client,
      timeoutMs: settings.heartbeatMs,
      onNotification: () => this.wake(),
    })
    try {
      const migrationClient = {
        query: async (config: { text: string }) => ({ rows: await connection.query(config, migrationTimeoutMs) }),
      }
      if (settings.migrate) await migrate(migrationClient, settings.schema)
      else await expectMigrated(migrationClient, settings.schema)
      return connection
    } catch (error) {
      await connection.close()
      throw error
    }
  }

  /** Listens, then looks at where each channel is: from here on nothing is missed. */
  async #reconnected(connection: ListeningConnection): Promise<void> {
    const { statements } = this.#options
    const queries = new LogQueries(connection, statements)
    const [state] = await connection.query<{ epoch: string; notify_channel: string }>({ text: statements.state })
    if (state === undefined) throw new Error('the table "state" is empty')
    await connection.query({ text: `LISTEN ${quoteIdentifier(state.notify_channel)}` })
    const followed = this.channels.all()
    await connection.query({ text: 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY' })
    const [top] = await connection.query<{ top_seq: string; now_ms: number }>({ text: statements.topSeq })
    const states = new Map<FollowedChannel, ChannelState>()
    for (let first = 0; first < followed.length; first += acknowledgeCount) {
      const some = followed.slice(first, first + acknowledgeCount)
      const rows = await queries.channelStates(
        some.map(({ bytes }) => bytes),
        some.map(({ point }) => point.offset),
      )
      for (const [index, channel] of some.entries()) {
        const found = rows[index]
        if (found !== undefined) states.set(channel, found)
      }
    }
    await connection.query({ text: 'COMMIT' })
    if (top === undefined) throw new Error('the server gave no answer')
    this.#cursor = Number(top.top_seq)
    this.#readMs = top.now_ms
    this.channels.reconnected(state.epoch, states, this.#syncedMs)
    if (this.channels.behind.size === 0) this.#syncedMs = top.now_ms
  }

  async #serve(connection: ListeningConnection): Promise<void> {
    const { pollMs, heartbeatMs } = this.#options.settings
    const queries = new LogQueries(connection, this.#options.statements)
    let nextPollAt = 0
    let turn = 0
    while (!this.#isClosed) {
      const { behind, replaying, channelCount } = this.channels
      const hasWork = this.#requests.count > 0 || behind.size > 0 || replaying.size > 0 || this.#isWoken
      const intervalMs = channelCount > 0 ? pollMs : Math.max(pollMs, Math.min(idlePollMs, heartbeatMs / 2))
      nextPollAt = Math.min(nextPollAt, performance.now() + intervalMs)
      if (!hasWork && !this.#isPollDue) {
        await this.#signal.wait(Math.max(0, nextPollAt - performance.now()))
        if (this.#isClosed) return
      }
      if (this.#requests.count > 0) await this.#acknowledge(queries)
      const isPolling = this.#isPollDue || performance.now() >= nextPollAt
      if (isPolling) {
        this.#isPollDue = false
        nextPollAt = performance.now() + intervalMs
        await this.#drain(connection)
      }
      if (this.#isWoken || isPolling) await this.#read(connection, queries)
      turn += 1
      await this.#catchUpOne(queries, turn)
    }
  }

  async #acknowledge(queries: LogQueries): Promise<void> {
    const requests = this.#requests.first(acknowledgeCount)
    if (requests.length === 0) return
    const positions = requests.map(({ from }) => (from === 'live' ? undefined : parsePosition(from)))
    const states = await queries.channelStates(
      requests.map(({ bytes }) => bytes),
      positions.map((position) => (position?.generation === undefined ? -1 : position.offset)),
    )
    for (const [index, request] of requests.entries()) {
      const state = states[index]
      if (request.isOver || state === undefined || this.#isClosed) continue
      this.#accept(request, state)
    }
  }

  #accept({ key, bytes, from, listener, resolve }: SubscribeRequest, state: ChannelState): void {
    const { epoch } = this.channels
    const { row } = state
    const top = { generation: row?.generation, offset: row?.topOffset ?? 0, anchor: row?.topAnchor ?? '0' }
    const followed = this.channels.find(encodeChannelKey(key)) ?? new FollowedChannel(key, bytes, top)
    this.channels.add(followed)
    const subscription = new PostgresSubscription(listener, topPosition(epoch, state), top, (ended) =>
      this.channels.remove(followed, ended),
    )
    followed.subscriptions.add(subscription)
    resolve(subscription)
    if (from === 'live') return
    const { offset, gap } = resumePoint(epoch, state, parsePosition(from))
    if (gap !== undefined) this.channels.tellGapTo(subscription, state, gap)
    if (offset === top.offset || subscription.isClosed) return
    subscription.point = { generation: row?.generation, offset, anchor: '0' }
    subscription.isReplaying = true
    this.channels.replaying.set(subscription, followed)
  }

  async #drain(connection: ListeningConnection): Promise<void> {
    const { statements, sweep, settings } = this.#options
    const after = sweep.after()
    const query = {
      text: statements.drain,
      values: [drainCount, after, sweep.isNotifying, settings.dedupWindowMs],
    }
    try {
      const [result] = await connection.query<{ drained: number; last_id: string; sweep_ms: number }>(query)
      if (result === undefined || result.drained < 0) return
      sweep.swept(after, result.last_id, result.sweep_ms)
      if (result.drained === 0) return
      this.#isWoken = true
      // There may be more: at once, then, and after what was read of this.
      this.#isPollDue = true
    } catch (error) {
      if (!sweep.failed(error)) throw error
      this.#isPollDue = true
    }
  }

  async #read(connection: ListeningConnection, queries: LogQueries): Promise<void> {
    this.#isWoken = false
    const channels = this.channels.all()
    if (channels.length === 0) return
    const { epoch, rows, cursor, isLast, nowMs } = await queries.read(
      this.#cursor,
      channels.map(({ bytes }) => bytes),
    )
    // What has another epoch begins anew at a place that the cursor may have passed.
    if (epoch !== this.channels.epoch) throw new Error('the schema was replaced')
    for (const row of rows) {
      if (this.#isClosed) return
      this.channels.applyRead(row)
    }
    this.#cursor = cursor
    // Since the last time, events may have come and been deleted: nothing that is left in the log tells of them.
    const isLong = nowMs - this.#readMs > Math.max(this.#options.settings.history.maxAgeMs, minRecheckMs)
    this.#readMs = nowMs
    if (isLong) return this.#reconnected(connection)
    if (!isLast) this.#isWoken = true
    else if (this.channels.behind.size === 0) this.#syncedMs = nowMs
  }

  /** One page for one of those that lack something; the next turn is another's. */
  async #catchUpOne(queries: LogQueries, turn: number): Promise<void> {
    const { behind, replaying } = this.channels
    const [channel] = behind
    if (channel !== undefined && (turn % 2 === 0 || replaying.size === 0)) {
      behind.delete(channel)
      behind.add(channel)
      const { rows, isLast } = await queries.page(channel.bytes, channel.point.offset)
      if (!this.#isClosed) this.channels.applyPage(channel, rows, isLast)
      return
    }
    const [next] = replaying
    if (next === undefined) return
    const [subscription, itsChannel] = next
    replaying.delete(subscription)
    replaying.set(subscription, itsChannel)
    const { rows, isLast } = await queries.page(itsChannel.bytes, subscription.point.offset)
    if (!this.#isClosed) this.channels.applyReplay(subscription, rows, isLast)
  }

  #setStatus(status: BusStatus): void {
    if (status === this.#status || this.#isClosed) return
    this.#status = status
    this.#options.observers.status(status)
    this.channels.tellAll({ kind: 'status', status })
  }
}
