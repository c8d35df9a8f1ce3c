/**
 * What every connection of the bus has, whatever the client says from which it is made. Nothing is queued, sent again,
 * subscribed again or connected again behind the bus's back: `ready` fires before resubscribing is acknowledged, a
 * rejected resubscription is an unhandled rejection, and the offline queue has no limit. A connection that broke is thrown
 * away, and the bus opens another.
 */
export function ownedConnectionOptions(connectionName: string): object {
  return {
    connectionName,
    lazyConnect: true,
    retryStrategy: null,
    reconnectOnError: null,
    enableOfflineQueue: false,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    enableAutoPipelining: false,
    maxRetriesPerRequest: 0,
    commandTimeout: undefined,
    monitor: false,
    stringNumbers: false,
    disconnectTimeout: 100,
  }
}

/** As {@link ownedConnectionOptions}, for the connections of a cluster: commands wait for a node that is being connected to. */
export function ownedClusterOptions(connectionName: string): { readonly redisOptions: object } {
  const options = {
    lazyConnect: true,
    clusterRetryStrategy: null,
    enableOfflineQueue: false,
    enableAutoPipelining: false,
    scaleReads: 'master',
    shardedSubscribers: false,
    slotsRefreshInterval: 2_000,
    redisOptions: {
      connectionName,
      commandTimeout: undefined,
      maxRetriesPerRequest: 0,
      stringNumbers: false,
      disconnectTimeout: 100,
    },
  }
  return options
}
