import { Buffer } from 'node:buffer'
import { Client } from 'pg'
import type { QueryConfig } from './postgres-client.ts'
import { within } from './pooled-query.ts'

/** An answer that is longer than its time goes on if so much of it came meanwhile. */
const minProgressBytes = 4_096

/** What a connection is opened with, and whom it tells. */
export interface ListeningConnectionOptions {
  /** The options of a client of `pg`. */
  readonly client: object
  /** How long connecting may take, and how long nothing of a query's answer may arrive, before the connection counts as lost, in milliseconds. */
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
  /** Of notifications, which are no part of an answer. */
  #notifiedBytes = 0
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
    client.on('notification', (message) => {
      // A type byte, the length, the process, and two texts that end in NUL.
      connection.#notifiedBytes += 11 + Buffer.byteLength(message.channel) + Buffer.byteLength(message.payload ?? '')
      onNotification()
    })
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
      const { rows } = await this.#answered(this.#client.query(config), timeoutMs)
      return rows as readonly T[]
    } catch (error) {
      if (!(error instanceof Error && 'severity' in error)) this.#lose(error)
      throw error
    }
  }

  get #answerBytes(): number {
    return receivedBytes(this.#client) - this.#notifiedBytes
  }

  /** As long as its answer goes on arriving, a large one may take its time: asked again, it would be as large. */
  async #answered<T>(answer: Promise<T>, timeoutMs: number): Promise<T> {
    const silence = Symbol('silence')
    answer.catch(() => {})
    for (let heard = this.#answerBytes; ; ) {
      let timer: NodeJS.Timeout | undefined
      const quiet = new Promise<typeof silence>((resolve) => {
        timer = setTimeout(() => resolve(silence), timeoutMs)
      })
      try {
        const outcome = await Promise.race([answer, quiet])
        if (outcome !== silence) return outcome
      } finally {
        clearTimeout(timer)
      }
      const now = this.#answerBytes
      if (now - heard < minProgressBytes || this.#isEnded)
        throw new Error(`no answer within ${Math.round(timeoutMs)} ms`)
      heard = now
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

function receivedBytes(client: Client): number {
  const { connection } = client as unknown as { connection?: { stream?: { bytesRead?: number } } }
  return connection?.stream?.bytesRead ?? 0
}

/** `pg` has no public way to drop a connection without a word; its clients have had this member in all versions. */
function destroy(client: Client): void {
  const { connection } = client as unknown as { connection?: { stream?: { destroy(): void } } }
  connection?.stream?.destroy()
}
