import { once } from 'node:events'
import type { Redis } from 'ioredis'
import type { BenchServer, ServerSetup } from './bench-server.ts'

/** Servers of which several instances share a Redis. */
export type RedisServerName = 'sluice-redis' | 'graphql-ws-redis' | 'yoga-redis'

/** Starts one instance on the Redis at a port of 127.0.0.1. */
export type StartRedisServer = (setup: ServerSetup, redisPort: number) => Promise<BenchServer>

const servers: Readonly<Record<RedisServerName, () => Promise<StartRedisServer>>> = {
  /** Ours: graphql-ws by hand, and the bus with its defaults. */
  'sluice-redis': async () => {
    const { redisBus } = await import('@sluice/redis')
    const { startSluiceGraphqlWsWith } = await import('./sluice-graphql-ws.ts')
    return (setup, port) => startSluiceGraphqlWsWith(setup, redisBus({ url: `redis://127.0.0.1:${port}` }))
  },
  /** @see https://github.com/davidyaha/graphql-redis-subscriptions#creating-the-redis-client */
  'graphql-ws-redis': async () => {
    const { RedisPubSub } = await import('graphql-redis-subscriptions')
    const { Redis } = await import('ioredis')
    const { startGraphqlWsWith } = await import('./graphql-ws.ts')
    return async (setup, port) => {
      const options = { host: '127.0.0.1', port, retryStrategy: (times: number) => Math.min(times * 50, 2000) }
      const publisher = await ready(new Redis(options))
      const subscriber = await ready(new Redis(options))
      return startGraphqlWsWith(setup, new RedisPubSub({ publisher, subscriber }))
    }
  },
  /** @see https://the-guild.dev/graphql/yoga-server/docs/features/subscriptions#distributed-pubsub-for-production */
  'yoga-redis': async () => {
    const { createRedisEventTarget } = await import('@graphql-yoga/redis-event-target')
    const { Redis } = await import('ioredis')
    const { createPubSub } = await import('graphql-yoga')
    const { startYogaWith } = await import('./yoga.ts')
    return async (setup, port) => {
      const publishClient = await ready(new Redis(port, '127.0.0.1'))
      const subscribeClient = await ready(new Redis(port, '127.0.0.1'))
      const eventTarget = createRedisEventTarget({ publishClient, subscribeClient })
      return startYogaWith(setup, createPubSub({ eventTarget }))
    }
  },
}

export function loadRedisServer(name: RedisServerName): Promise<StartRedisServer> {
  return servers[name]()
}

/** A SUBSCRIBE that is sent while ioredis 5 is still connecting can leave it deaf; that is not what is to be measured. */
async function ready(client: Redis): Promise<Redis> {
  await once(client, 'ready')
  return client
}
