import type { RedisConnection } from './redis-client.ts'
import { ConnectionLostError, withoutCommand } from './reply-error.ts'

export interface LinkOptions {
  /** A new connection that is not connected yet. */
  readonly open: () => RedisConnection
  readonly heartbeatMs: number
  /** Asks the server for a sign of life; does not settle if there is none. */
  readonly probe: (connection: RedisConnection) => Promise<unknown>
  /** The connection is ready. What it throws or rejects with breaks the connection. */
  readonly onUp: (connection: RedisConnection) => void | Promise<void>
  /** It was ready and is not any more. */
  readonly onDown: () => void
  /** Why there is no connection; once until there is one again. */
  readonly onTrouble: (error: Error) => void
}

/**
 * One connection that is there as much as possible: it is opened anew when it breaks, and when the server gives no sign of life
 * within two heartbeats, for a half-open connection breaks by itself after many minutes only. Every attempt is a new connection,
 * so no state of the old one lives on.
 */
export class Link {
  readonly #options: LinkOptions
  #connection: RedisConnection | undefined
  #isUp = false
  #isStopped = false
  #attempts = 0
  #isTroubleTold = false
  #retry: NodeJS.Timeout | undefined
  #deadline: NodeJS.Timeout | undefined
  #heartbeat: NodeJS.Timeout | undefined
  readonly #ending = new Set<Promise<void>>()

  constructor(options: LinkOptions) {
    this.#options = options
  }

  /** The connection, while it is ready. */
  get connection(): RedisConnection | undefined {
    return this.#isUp ? this.#connection : undefined
  }

  start(): void {
    if (!this.#isStopped && this.#connection === undefined) this.#open()
  }

  /** Breaks the connection, for a reason that is told, and opens another. */
  restart(reason: Error): void {
    if (this.#connection !== undefined) this.#lose(this.#connection, reason)
  }

  /** Closes the connection for good; resolves when it is closed. */
  async stop(): Promise<void> {
    this.#isStopped = true
    clearTimeout(this.#retry)
    const connection = this.#connection
    if (connection !== undefined) this.#drop(connection)
    await Promise.all(this.#ending)
  }

  #open(): void {
    const connection = this.#options.open()
    this.#connection = connection
    let failure: Error | undefined
    connection.on('error', (error: Error) => {
      failure = withoutCommand(error)
      // The replies do not fit the commands any more, as after a message that ioredis 5 does not know.
      if (error.message.startsWith('Command queue state error')) this.#lose(connection, failure)
    })
    const lose = () => this.#lose(connection, failure ?? new ConnectionLostError('the connection was closed'))
    connection.on('end', lose)
    // A server that accepts connections and never answers would have us wait for ever.
    this.#deadline = setTimeout(
      () => this.#lose(connection, new ConnectionLostError('the server did not answer to the connection in time')),
      Math.max(1_000, this.#options.heartbeatMs * 2),
    )
    void this.#connect(connection, lose)
  }

  async #connect(connection: RedisConnection, lose: () => void): Promise<void> {
    try {
      await connection.connect()
      if (this.#connection !== connection) return
      this.#isUp = true
      await this.#options.onUp(connection)
    } catch {
      lose()
      return
    }
    if (this.#connection !== connection) return
    clearTimeout(this.#deadline)
    this.#attempts = 0
    this.#isTroubleTold = false
    this.#beat(connection)
  }

  #lose(connection: RedisConnection, reason: Error): void {
    if (this.#connection !== connection) return
    this.#drop(connection)
    if (this.#isStopped) return
    this.#attempts += 1
    // Half of it at random: the instances of a deployment shall not all come back at once.
    const delayMs = Math.min(2_000, 25 * 2 ** Math.min(this.#attempts, 10)) * (0.5 + Math.random() / 2)
    this.#retry = setTimeout(() => this.#open(), delayMs)
    if (!this.#isTroubleTold) {
      this.#isTroubleTold = true
      this.#options.onTrouble(reason)
    }
  }

  /** Lets go of a connection: from now on nothing that happens on it is of interest. */
  #drop(connection: RedisConnection): void {
    const wasUp = this.#isUp
    this.#isUp = false
    this.#connection = undefined
    clearTimeout(this.#deadline)
    clearInterval(this.#heartbeat)
    const ending = ended(connection)
    this.#ending.add(ending)
    void ending.then(() => this.#ending.delete(ending))
    if (wasUp) this.#options.onDown()
  }

  #beat(connection: RedisConnection): void {
    const { heartbeatMs, probe } = this.#options
    let isAnswered = true
    let lastBeat = performance.now()
    this.#heartbeat = setInterval(() => {
      const now = performance.now()
      // This process was busy: the answer may lie in the socket, unread.
      const isLate = now - lastBeat > heartbeatMs * 1.5
      lastBeat = now
      if (!isAnswered) {
        if (!isLate) this.#lose(connection, new ConnectionLostError(`no answer within ${heartbeatMs} ms`))
        return
      }
      isAnswered = false
      probe(connection).then(
        () => {
          isAnswered = true
        },
        () => undefined, // the end of the connection is told by its own event
      )
    }, heartbeatMs)
  }
}

/** Disconnects; resolves when the connection is closed. It never takes long: what does not close is destroyed. */
function ended(connection: RedisConnection): Promise<void> {
  if (connection.status === 'end') return Promise.resolve()
  return new Promise((resolve) => {
    const timer = setTimeout(done, 1_000)
    function done(): void {
      clearTimeout(timer)
      connection.removeAllListeners()
      // What comes late must not be an unhandled 'error'.
      connection.on('error', () => undefined)
      resolve()
    }
    connection.once('end', done)
    connection.on('error', () => undefined)
    connection.disconnect()
  })
}
