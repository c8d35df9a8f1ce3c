import { outcomeOf, StatementError } from './bus-errors.ts'
import type { PostgresPool, PostgresPoolClient, QueryConfig } from './postgres-client.ts'

/** How a statement is run. */
export interface PooledQueryOptions {
  /** For the connection and the statement together, in milliseconds. */
  readonly timeoutMs: number
  /** Runs it in a transaction of its own that is READ COMMITTED whatever the pool's default is. @default false */
  readonly isReadCommitted?: boolean
}

/**
 * A drain's lock is held until the COMMIT. If this process is gone before it without a word, the server waits for it no
 * longer than this, and not until the link is found to be dead, which takes hours.
 */
const beginReadCommitted = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL idle_in_transaction_session_timeout = '5s'"

/**
 * Runs one statement on a client of the pool. A client whose statement did not end in time is destroyed, so that neither
 * a silent connection nor its statement stays in the pool.
 *
 * @throws StatementError saying whether it was sent.
 */
export async function pooledQuery<T extends object>(
  pool: PostgresPool,
  config: QueryConfig,
  { timeoutMs, isReadCommitted = false }: PooledQueryOptions,
): Promise<readonly T[]> {
  const deadline = performance.now() + timeoutMs
  const client = await take(pool, timeoutMs)
  let isBroken = false
  try {
    const run = async (): Promise<readonly T[]> => {
      if (!isReadCommitted) return (await client.query(config)).rows as readonly T[]
      await client.query({ text: beginReadCommitted })
      const { rows } = await client.query(config)
      await client.query({ text: 'COMMIT' })
      return rows as readonly T[]
    }
    return await within(run(), deadline - performance.now())
  } catch (error) {
    const outcome = outcomeOf(error)
    isBroken = outcome === 'unknown' || isReadCommitted
    throw new StatementError(outcome, error)
  } finally {
    giveBack(client, isBroken)
  }
}

/**
 * Takes a client, which has an error listener from the very first moment: a server that ends a session may say so in the same
 * packet in which it said that it is ready, and an error that nobody listens to ends the process.
 */
async function take(pool: PostgresPool, timeoutMs: number): Promise<PostgresPoolClient> {
  let isLate = false
  const connecting = new Promise<PostgresPoolClient>((resolve, reject) => {
    pool.connect((error, client) => {
      client?.on('error', ignore)
      if (client === undefined) reject(error ?? new Error('the pool gave no client'))
      else if (isLate) giveBack(client, false)
      else resolve(client)
    })
  })
  try {
    return await within(connecting, timeoutMs)
  } catch (error) {
    isLate = true
    throw new StatementError('not-sent', error)
  }
}

function giveBack(client: PostgresPoolClient, isBroken: boolean): void {
  client.off('error', ignore)
  client.release(isBroken)
}

/** Rejects if the promise has not settled in time; what it settles with afterwards is nobody's. */
export async function within<T>(promise: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${Math.round(timeoutMs)} ms`)), Math.max(0, timeoutMs))
  })
  promise.catch(() => {})
  try {
    return await Promise.race([promise, timeout])
  } finally {
    clearTimeout(timer)
  }
}

function ignore(): void {}
