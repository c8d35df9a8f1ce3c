/** What of `pg` is used, as structures, so that any of its versions and type packages fits. */

/** The rows of a query. */
export interface QueryResult {
  readonly rows: readonly object[]
}

/** A query with parameters. */
export interface QueryConfig {
  readonly text: string
  readonly values?: unknown[]
  /** Prepared under this name. */
  readonly name?: string
}

/** A client that was taken from a pool. */
export interface PostgresPoolClient {
  query(config: QueryConfig): Promise<QueryResult>
  on(event: 'error', listener: (error: Error) => void): unknown
  off(event: 'error', listener: (error: Error) => void): unknown
  release(destroy?: boolean | Error): void
}

/** A `Pool` of `pg`. */
export interface PostgresPool {
  /** As a callback and not a promise: the client can fail again before a promise's listeners are called. */
  connect(callback: (error: Error | undefined, client: PostgresPoolClient | undefined) => void): void
  readonly options: object
}

/**
 * Whoever runs the statements of a transaction: a `Client` or `PoolClient` of `pg`, or a function of a query
 * builder or ORM dressed as one. The text has `$1`-style parameters.
 */
export interface TransactionClient {
  query(text: string, values: unknown[]): PromiseLike<unknown>
}
