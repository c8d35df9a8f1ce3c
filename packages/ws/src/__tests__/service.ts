import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { makeExecutableSchema } from '@graphql-tools/schema'
import {
  createSubscriptionExecutor,
  fromChannel,
  type OverflowPolicy,
  type SubscriptionExecutor,
  type SubscriptionExecutorOptions,
} from '@sluice/core'
import { countWrites, type Writes } from '@sluice/testkit'
import { GraphQLError, type GraphQLSchema } from 'graphql'
import type { ServerOptions } from 'graphql-ws'
import { type Extra, useServer } from 'graphql-ws/use/ws'
import { type WebSocket, WebSocketServer } from 'ws'
import { type AttachedWebSocket, attachWebSocket } from '../attach-web-socket.ts'
import type { AttachWebSocketOptions } from '../attach-web-socket-options.ts'
import { sluiceServerOptions } from '../sluice-server-options.ts'
import { type Gate, gate } from './until.ts'

export type Hooks = ServerOptions<Record<string, unknown> | undefined, Extra>

export interface ServiceOptions {
  /** By default graphql-ws's own `useServer` serves, else `attachWebSocket`. */
  readonly attach?: Partial<AttachWebSocketOptions> | undefined
  readonly overflow?: { readonly maxPendingBytes?: number; readonly policy?: OverflowPolicy }
  readonly executor?: Partial<SubscriptionExecutorOptions>
  readonly perMessageDeflate?: boolean | object
  /** graphql-ws's options beside schema and context; a function gets the executor. */
  readonly hooks?: Hooks | ((executor: SubscriptionExecutor) => Hooks)
}

export interface Service extends AsyncDisposable {
  readonly executor: SubscriptionExecutor
  readonly schema: GraphQLSchema
  readonly server: Server
  readonly url: string
  /** What was reported to the executor's `onError`. */
  readonly errors: unknown[]
  /** The server's ends of the sockets, in the order in which they were opened. */
  readonly sockets: WebSocket[]
  /** What was written to the sockets, in the same order. */
  readonly writes: Writes[]
  /** One for each subscription to `gated` and query of `slow`, in the order in which they were asked for. */
  readonly gates: Gate[]
  /** How many sources that are not of a channel were released. */
  readonly released: { count: number }
  /** How many events `flood` was asked for. */
  readonly pulled: { count: number }
  readonly attached: AttachedWebSocket | undefined
  publish(channel: string, data: unknown): Promise<void>
  activeCount(): number
}

const typeDefs = /* GraphQL */ `
  type Query { hello: String, big: String, slow: String, broken: String }
  type Mutation { add(left: Int!, right: Int!): Int }
  type Subscription {
    news(topic: String!): News
    "Its subscribe waits for a gate."
    gated(topic: String!): News
    "Not of a channel."
    numbers(to: Int!): Int
    "Not of a channel, and it never ends."
    silence: Int
    "Not of a channel, and fails after the first."
    failing(mine: Boolean): Int
    "Not of a channel, large, and it never ends."
    flood: String
  }
  type News { text: String, number: Int }
`

export async function openService(options: ServiceOptions = {}): Promise<Service> {
  const errors: unknown[] = []
  const gates: Gate[] = []
  const sockets: WebSocket[] = []
  const writes: Writes[] = []
  const released = { count: 0 }
  const pulled = { count: 0 }
  const news = fromChannel({ channel: ({ topic }: { topic: string }) => topic, share: 'tenant' })
  const nextGate = () => {
    const next = gate()
    gates.push(next)
    return next.opened
  }
  const schema = makeExecutableSchema({
    typeDefs,
    resolvers: {
      Query: {
        hello: () => 'world',
        big: () => 'x'.repeat(50_000),
        slow: () => nextGate().then(() => 'at last'),
        broken: () => {
          throw new GraphQLError('out of order', { extensions: { code: 'BROKEN' } })
        },
      },
      Mutation: { add: (_: unknown, { left, right }: { left: number; right: number }) => left + right },
      Subscription: {
        news,
        gated: {
          ...news,
          subscribe: async (...args: Parameters<typeof news.subscribe>) => {
            await nextGate()
            return news.subscribe(...args)
          },
        },
        numbers: {
          async *subscribe(_: unknown, { to }: { to: number }) {
            try {
              for (let number = 1; number <= to; number += 1) yield { numbers: number }
            } finally {
              released.count += 1
            }
          },
        },
        flood: {
          async *subscribe() {
            try {
              for (;;) {
                pulled.count += 1
                yield { flood: 'x'.repeat(65_536) }
              }
            } finally {
              released.count += 1
            }
          },
        },
        silence: {
          subscribe: () => ({
            [Symbol.asyncIterator]: () => ({
              next: () => new Promise(() => {}),
              return: async () => {
                released.count += 1
                return { done: true, value: undefined }
              },
            }),
          }),
        },
        failing: {
          async *subscribe(_: unknown, { mine }: { mine?: boolean }) {
            yield { failing: 1 }
            throw mine === true
              ? new GraphQLError('gone', { extensions: { code: 'GONE' } })
              : new Error('password=hunter2')
          },
        },
      },
    },
  })
  const executor = createSubscriptionExecutor({
    scope: (context: { tenantId?: string }) => (context.tenantId === undefined ? null : { tenantId: context.tenantId }),
    eventContext: ({ scope }) => ({ scope }),
    onError: (error) => errors.push(error),
    ...(options.overflow && { overflow: options.overflow }),
    ...options.executor,
  })
  const context = ({ connectionParams }: { connectionParams?: Readonly<Record<string, unknown>> | undefined }) => ({
    tenantId: typeof connectionParams?.['tenant'] === 'string' ? connectionParams['tenant'] : 'acme',
  })
  const hooks = typeof options.hooks === 'function' ? options.hooks(executor) : options.hooks
  const serverOptions: Hooks = { schema, context, ...hooks }

  const server = createServer((_, response) => response.writeHead(404).end())
  let attached: AttachedWebSocket | undefined
  let dispose: () => unknown
  server.on('upgrade', (request) => writes.push(countWrites(request.socket)))
  if (options.attach === undefined) {
    const { perMessageDeflate = false } = options
    const webSocketServer = new WebSocketServer({ server, path: '/graphql', perMessageDeflate })
    webSocketServer.on('connection', (socket) => sockets.push(socket))
    const served = useServer(sluiceServerOptions(executor, serverOptions), webSocketServer, 0)
    dispose = () => {
      for (const socket of webSocketServer.clients) socket.terminate()
      return served.dispose()
    }
  } else {
    attached = attachWebSocket({
      executor,
      server,
      path: '/graphql',
      serverOptions,
      keepAliveMs: 0,
      ...options.attach,
    })
    dispose = () => attached?.dispose()
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  return {
    executor,
    schema,
    server,
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`,
    errors,
    sockets,
    writes,
    gates,
    released,
    pulled,
    attached,
    async publish(channel, data) {
      await executor.publish({ tenantId: 'acme', channel, type: 'news', data })
    },
    activeCount: () => executor.metrics().subscriptions.active,
    async [Symbol.asyncDispose]() {
      await dispose()
      await executor.dispose()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
