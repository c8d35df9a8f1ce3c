import { createServer } from 'node:http'
import { makeExecutableSchema } from '@graphql-tools/schema'
import { fromChannel, type SubscriptionExecutor } from '@sluice/core'
import { redisBus, type RedisBusOptions } from '@sluice/redis'
import {
  closeServer,
  listen,
  type Subscriber,
  subscribeOverSse,
  type WebSocketClient,
  webSocketClient,
} from '@sluice/testkit'
import { useSluice } from '@sluice/yoga'
import { createYoga } from 'graphql-yoga'
import { onTestFinished } from 'vitest'

export type Transport = 'WebSocket' | 'SSE'

/** A Yoga server on a Redis bus, and subscribers over its real sockets. */
export interface RedisService {
  readonly executor: SubscriptionExecutor
  subscribe(transport: Transport, query: string): Subscriber
  /** Publishes to the channel that the fields of the schema subscribe to. */
  publish(data: unknown): Promise<unknown>
}

const schema = makeExecutableSchema({
  typeDefs: `
    type Query { hello: String }
    type Subscription { changed: Int ends: Int signals: Int }
  `,
  resolvers: {
    Subscription: {
      changed: fromChannel({ channel: 'orders', share: 'tenant' }),
      ends: fromChannel({ channel: 'orders', share: 'tenant', onGap: 'end' }),
      signals: fromChannel({ channel: 'orders', share: 'tenant', onGap: 'signal' }),
    },
  },
})

/** Starts the host, whether Redis is there or not; it is stopped when the test is over. */
export async function startRedisService(
  options: RedisBusOptions & { readonly subscribeTimeoutMs?: number },
): Promise<RedisService> {
  const { subscribeTimeoutMs = 10_000, ...busOptions } = options
  const bus = redisBus({ heartbeatMs: 500, checkIntervalMs: 500, lingerMs: 20, ...busOptions })
  const sluice = useSluice({
    bus,
    subscribeTimeoutMs,
    scope: () => ({ tenantId: 'acme', userId: 'ada' }),
    eventContext: () => ({}),
    onError: () => undefined,
  })
  const yoga = createYoga({ schema, plugins: [sluice], logging: false })
  const server = createServer((request, response) => void yoga(request, response))
  sluice.attachWebSocket(server)
  const address = await listen(server)
  const sockets: WebSocketClient[] = []
  onTestFinished(async () => {
    await Promise.all(sockets.map((socket) => socket.dispose()))
    await yoga.dispose()
    await closeServer(server)
  })
  return {
    executor: sluice.executor,
    subscribe(transport, query) {
      if (transport === 'SSE') return subscribeOverSse({ url: `http://${address}/graphql`, headers: {} }, { query })
      const socket = webSocketClient({ url: `ws://${address}/graphql`, headers: {} })
      sockets.push(socket)
      return socket.subscribe({ query })
    },
    publish: (data) => sluice.executor.publish({ tenantId: 'acme', channel: 'orders', type: 'changed', data }),
  }
}
