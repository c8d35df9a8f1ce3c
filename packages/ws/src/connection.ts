import { type EndReason, SluiceError, type SubscriptionExecutor } from '@sluice/core'
import type { Extra } from 'graphql-ws/use/ws'
import type { IncomingMessage } from 'node:http'
import type { WebSocket } from 'ws'
import { SocketWriter } from './socket-writer.ts'

/** How long a full socket may stay full, and how long its reader then has to take the close frame, in milliseconds. */
const SLOW_CONSUMER_TIMEOUT_MS = 5000

/**
 * How many operations of one socket may still be under way after the client completed them. Nobody waits for
 * them, but a `subscribe` resolver that was called cannot be called back.
 */
const MAX_ABANDONED_COUNT = 100

/** An operation as its connection sees it. */
export interface ConnectedOperation {
  /** Whether it goes on until somebody ends it. */
  readonly isStreaming: boolean
  /** The server ends it: the client gets `complete`. */
  finish(): void
  /** Nobody listens any more: nothing is sent. */
  /** @param reason of it, for the metrics */
  abandon(reason?: EndReason): void
}

/**
 * One socket: its writer, and everything that has to be released when it closes. It holds operations by
 * identity; which operation an id means is in graphql-ws's table alone.
 */
export class Connection {
  readonly socket: WebSocket
  readonly writer: SocketWriter
  readonly #executor: SubscriptionExecutor
  readonly #operations: Set<ConnectedOperation> = new Set()
  readonly #closeMetric: () => void
  #abandonedCount = 0
  #draining = false
  #slow = false
  #cutOff: NodeJS.Timeout | undefined
  #onIdle: (() => void) | undefined

  constructor({ socket, request }: Extra, executor: SubscriptionExecutor) {
    this.socket = socket
    this.#executor = executor
    // Servers that emit `connection` themselves need not have a request; its socket is only for corking.
    const underlying = (request as IncomingMessage | undefined)?.socket
    this.writer = new SocketWriter(socket, underlying, executor.overflow.maxPendingBytes)
    this.#closeMetric = executor.openConnection()
    socket.once('close', () => this.#closed())
  }

  /** Why no operation can begin here now, or `undefined`. */
  refusal(): SluiceError | undefined {
    if (this.#draining) return new SluiceError('DRAINING', 'The server is shutting down; subscribe again, elsewhere.')
    if (this.#abandonedCount < MAX_ABANDONED_COUNT) return undefined
    return new SluiceError('LIMIT_EXCEEDED', 'Too many operations were completed before they began; try again later.')
  }

  /**
   * Whether the socket takes another message that has to be answered. A reader who asks for more while it does
   * not read what it got is too slow, whatever the overflow policy: an answer cannot be left out.
   */
  takesRequests(): boolean {
    if (this.writer.isFull()) this.disconnectSlowConsumer()
    return this.socket.readyState === this.socket.OPEN
  }

  /**
   * Resolves when the socket takes more, or is closed. A reader who does not let it get below its limit in 5 s is
   * too slow, whatever the overflow policy: whoever waits here holds on to something.
   */
  async notFull(): Promise<void> {
    if (!this.writer.isFull()) return
    const tooSlow = setTimeout(() => this.disconnectSlowConsumer(), SLOW_CONSUMER_TIMEOUT_MS).unref()
    await this.writer.notFull()
    clearTimeout(tooSlow)
  }

  get isDraining(): boolean {
    return this.#draining
  }

  add(operation: ConnectedOperation): void {
    this.#operations.add(operation)
  }

  remove(operation: ConnectedOperation): void {
    this.#operations.delete(operation)
    if (this.#operations.size === 0) this.#onIdle?.()
  }

  /** An operation ended while what it had started was still under way. The returned function: not any more. */
  abandoned(): () => void {
    this.#abandonedCount += 1
    return () => {
      this.#abandonedCount -= 1
    }
  }

  /**
   * Ends what streams with a `complete` message, and refuses new operations with DRAINING. Resolves when what
   * still owes the client its one result has sent it.
   */
  drain(): Promise<void> {
    this.#draining = true
    for (const operation of [...this.#operations]) {
      if (operation.isStreaming) operation.finish()
    }
    if (this.#operations.size === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#onIdle = resolve
    })
  }

  /** Ends every operation with a `complete` message. */
  finish(): void {
    for (const operation of [...this.#operations]) operation.finish()
  }

  /**
   * The reader of this socket is too slow: its operations are released at once and it is told by the close
   * code, since an error message would queue behind everything it has not read yet.
   *
   * @param isCounted whether the executor found out by itself, from a queue that overflowed
   */
  disconnectSlowConsumer(isCounted = false): void {
    if (this.#slow) return
    this.#slow = true
    if (!isCounted) this.#executor.recordSlowConsumer()
    this.#abandonAll('SLOW_CONSUMER')
    this.writer.uncork()
    this.socket.close(4429, 'Slow consumer')
    this.#cutOff = setTimeout(() => this.socket.terminate(), SLOW_CONSUMER_TIMEOUT_MS).unref()
  }

  #abandonAll(reason?: EndReason): void {
    for (const operation of [...this.#operations]) operation.abandon(reason)
  }

  #closed(): void {
    clearTimeout(this.#cutOff)
    this.#closeMetric()
    this.#abandonAll()
  }
}

const connections = new WeakMap<WebSocket, Connection>()

/**
 * The connection of a socket. graphql-ws tells of a socket when its first message arrived, a server of ours as
 * soon as it connected.
 *
 * @throws SluiceError BAD_CONFIG if graphql-ws runs on another server than `ws`
 */
export function connectionOf(extra: Extra, executor: SubscriptionExecutor): Connection {
  const socket: Partial<WebSocket> | undefined = extra?.socket
  if (typeof socket?.send !== 'function' || typeof socket.terminate !== 'function') {
    throw new SluiceError(
      'BAD_CONFIG',
      '[ws] sluiceServerOptions is for useServer of graphql-ws/use/ws; there is no "ws" socket in the context.',
    )
  }
  let connection = connections.get(extra.socket)
  if (connection === undefined) {
    connection = new Connection(extra, executor)
    connections.set(extra.socket, connection)
  }
  return connection
}
