import { Client } from 'pg'
import type { QueryConfig } from './postgres-client.ts'
import { within } from './pooled-query.ts'

/** What a connection is opened with, and whom it tells. */
export interface ListeningConnectionOptions {
  /** The options of a client of `pg`. */
  readonly client: object
  /** How long connecting, or a query, may go unanswered before the connection counts as lost, in milliseconds. */
  readonly timeoutMs: number
  readonly onNotification: () => void
}

/**
 * The connection that listens. It is either whole or lost: the first error, or a query without an answer in time, ends it,
 * since a link that swallows traffic in one direction gives no error at all.
 */
export class ListeningConnection {
  readonly #client: Client
  readonly #timeoutMs: number
  #loss: unknown
  #isEnded = false

  private constructor(client: Client, timeoutMs: number) {
    this.#client = client
    this.#timeoutMs = timeoutMs
  }

  static async open({
    client: options,
    timeoutMs,
    onNotification,
  }: ListeningConnectionOptions): Promise<ListeningConnection> {
    const client = new Client(options)
    const connection = new ListeningConnection(client, timeoutMs)
    client.on('error', (error) => connection.#lose(error))
    client.on('end', () => connection.#lose(new Error('the server closed the connection')))
    client.on('notification', onNotification)
    try {
      await within(client.connect(), timeoutMs)
      // Plans that do not depend on statistics, which a table that just grew has none of.
      await connection.query({
        text: "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off; SET default_transaction_isolation = 'read committed'",
      })
      return connection
    } catch (error) {
      connection.#lose(error)
      throw error
    }
  }

  /** Whether it still works, as far as anybody knows. */
  get isOpen(): boolean {
    return !this.#isEnded
  }

  /**
   * Runs a query. Queries run one after another.
   *
   * @throws what the server says, after which the connection goes on; or why it was lost.
   */
  async query<T extends object>(config: QueryConfig, timeoutMs: number = this.#timeoutMs): Promise<readonly T[]> {
    if (this.#isEnded) throw this.#loss
    try {
      const { rows } = await within(this.#client.query(config), timeoutMs)
      return rows as readonly T[]
    } catch (error) {
      if (!(error instanceof Error && 'severity' in error)) this.#lose(error)
      throw error
    }
  }

  /** Ends it, politely if that is answered in time. Never rejects. */
  async close(): Promise<void> {
    this.#isEnded = true
    this.#loss ??= new Error('the connection was closed')
    try {
      await within(this.#client.end(), Math.min(this.#timeoutMs, 1_000))
    } catch {
      destroy(this.#client)
    }
  }

  #lose(error: unknown): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#loss = error
    // Saying goodbye on a link that swallows it would wait for ever.
    destroy(this.#client)
  }
}

/** `pg` has no public way to drop a connection without a word; its clients have had this member in all versions. */
function destroy(client: Client): void {
  const { connection } = client as unknown as { connection?: { stream?: { destroy(): void } } }
  connection?.stream?.destroy()
}
