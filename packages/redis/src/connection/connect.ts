import { Redis } from 'ioredis'
import type { RedisTarget } from '../redis-bus-options.ts'
import { ownedClusterOptions, ownedConnectionOptions } from './connection-options.ts'
import { type ClusterTemplate, isCluster, type RedisConnection, type RedisConnectionOptions } from './redis-client.ts'

/** How connections to a target are made. */
export interface Connector {
  readonly isCluster: boolean
  readonly database: number
  /** For messages: `localhost:6379`; never a user name or password. */
  readonly description: string
  /** A connection, or a client of the whole cluster, that is not connected yet. */
  open(connectionName: string): RedisConnection
}

/** Says how to connect to a target. Nothing is connected yet. */
export function connectorFor(target: RedisTarget): Connector {
  if ('address' in target) {
    const { address } = target
    return {
      isCluster: false,
      database: address.db,
      description: `${address.host}:${address.port}`,
      open: (connectionName) =>
        new Redis({ ...address, ...ownedConnectionOptions(connectionName) }) as unknown as RedisConnection,
    }
  }
  const client = target.client as unknown as RedisConnection
  if (isCluster(client)) {
    const template = target.client as unknown as ClusterTemplate
    return {
      isCluster: true,
      database: 0,
      description: 'the cluster',
      open: (connectionName) => {
        const options = ownedClusterOptions(connectionName)
        const redisOptions = { ...template.options.redisOptions, ...options.redisOptions }
        return template.duplicate([], { ...options, redisOptions })
      },
    }
  }
  return {
    isCluster: false,
    database: client.options.db ?? 0,
    description: describe(client.options),
    open: (connectionName) => client.duplicate(ownedConnectionOptions(connectionName)),
  }
}

function describe({ host, port, path, sentinels, name }: RedisConnectionOptions): string {
  if (sentinels !== undefined && sentinels !== null) return `the master "${name ?? ''}" of Sentinel`
  return path ?? `${host ?? 'localhost'}:${port ?? 6379}`
}
