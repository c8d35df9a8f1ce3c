/**
 * A client of ioredis 5 or 6, for one server, through Sentinel, or for a cluster. (The types of the two majors cannot be
 * assigned to each other; this is what they have in common.)
 *
 * It is a template: the bus opens connections of its own with its options, and neither uses nor closes it.
 */
export interface RedisClient {
  readonly status: string
  readonly options: object
  duplicate(): object
  disconnect(): void
}

/** A connection to one server as the bus uses it. */
export interface RedisConnection {
  readonly status: string
  readonly options: RedisConnectionOptions
  connect(): Promise<void>
  disconnect(): void
  duplicate(overrides: object): RedisConnection
  on(event: string, listener: (...args: never[]) => void): unknown
  once(event: string, listener: (...args: never[]) => void): unknown
  removeAllListeners(): unknown
  ping(): Promise<unknown>
  evalBuffer(lua: string, keyCount: number, ...args: readonly RedisArgument[]): Promise<unknown>
  evalshaBuffer(sha: string, keyCount: number, ...args: readonly RedisArgument[]): Promise<unknown>
  script(subcommand: 'LOAD', lua: string): Promise<unknown>
  subscribe(...channels: readonly string[]): Promise<unknown>
  unsubscribe(...channels: readonly string[]): Promise<unknown>
  ssubscribe(...channels: readonly string[]): Promise<unknown>
  sunsubscribe(...channels: readonly string[]): Promise<unknown>
}

/** The connections to a cluster. */
export interface ClusterConnection extends RedisConnection {
  readonly isCluster: true
  /** The servers of each slot, the master first, as `host:port`. */
  readonly slots: readonly (readonly string[] | undefined)[]
  nodes(role: 'master'): readonly RedisConnection[]
  refreshSlotsCache(callback?: (error?: unknown) => void): void
}

/** What is read of ioredis's options. */
export interface RedisConnectionOptions {
  readonly host?: string
  readonly port?: number
  readonly path?: string
  readonly db?: number
  readonly keyPrefix?: string
  readonly sentinels?: unknown
  readonly name?: string
}

/** An argument of a command. */
export type RedisArgument = string | number | Uint8Array

/** A client of a cluster as the template of others. */
export interface ClusterTemplate {
  readonly options: { readonly redisOptions?: object }
  duplicate(startupNodes: readonly [], overrides: object): ClusterConnection
}

/** Whether it is a client of a cluster. */
export function isCluster(connection: RedisConnection): connection is ClusterConnection {
  return 'isCluster' in connection && connection.isCluster === true
}
