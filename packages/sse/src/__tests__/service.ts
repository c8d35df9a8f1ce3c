import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { makeExecutableSchema } from '@graphql-tools/schema'
import {
  createSubscriptionExecutor,
  fromChannel,
  type OperationHost,
  type SubscriptionExecutor,
  type SubscriptionExecutorOptions,
} from '@sluice/core'
import { listen, until } from '@sluice/testkit'
import { type ExecutionArgs, GraphQLError, GraphQLScalarType, type GraphQLSchema, parse } from 'graphql'
import { onTestFinished } from 'vitest'
import { createSseEndpoint, type SseEndpoint } from '../sse-endpoint.ts'
import type { SseEndpointOptions } from '../sse-endpoint-options.ts'
import { createGate, type Gate } from './gate.ts'

export const SECRET = 'password=hunter2'

export interface ServiceOptions {
  readonly executor?: Partial<SubscriptionExecutorOptions>
  /** Options of the endpoint beside `executor`, `schema` and `context`. */
  readonly endpoint?: Partial<Pick<SseEndpointOptions, 'heartbeatMs' | 'maxBodyBytes' | 'closeTimeoutMs'>> & {
    readonly csrfPrevention?: boolean
  }
  /** What runs operations, in place of the schema. */
  readonly host?: OperationHost
  /** What the server does with a request, in place of handing it to the endpoint at once. */
  readonly serve?: (request: IncomingMessage, response: ServerResponse, endpoint: SseEndpoint) => void
}

/** A server with one endpoint, until the test is over. */
export interface Service {
  readonly executor: SubscriptionExecutor
  readonly endpoint: SseEndpoint
  readonly schema: GraphQLSchema
  readonly server: Server
  readonly port: number
  readonly url: string
  /** What was reported to the executor's `onError`. */
  readonly errors: unknown[]
  /** Every request that came, and the server's end of its response. */
  readonly exchanges: { readonly request: IncomingMessage; readonly response: ServerResponse }[]
  /** The first of them. */
  exchange(): Service['exchanges'][number]
  /** What waits in this process for the client of the first of them, in bytes. */
  pendingBytes(): number
  /** One for each subscription to `gated` and query of `slow`, in the order in which they were asked for. */
  readonly gates: Gate[]
  /** How many sources that are not of a channel were released. */
  readonly released: { count: number }
  /** How many events `flood` was asked for. */
  readonly pulled: { count: number }
  /** How many mutations were executed. */
  readonly added: { count: number }
  /** The arguments to subscribe with for tenant `acme`, for hosts of a test's own. */
  argsOf(query: string): ExecutionArgs
  publish(topic: string, data: unknown, tenantId?: string): Promise<void>
  /** Resolves when exactly so many subscriptions run. */
  active(count: number): Promise<void>
  /** Resolves when exactly so many responses are open. */
  connected(count: number): Promise<void>
  /** Resolves when nothing is held for anybody, and so many sources were released. */
  idle(releasedCount?: number): Promise<void>
}

const typeDefs = /* GraphQL */ `
  scalar Anything
  type Query { hello: String, big(size: Int!): String, slow: String, broken: String, refused: String, odd: Anything }
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
    flood(size: Int = 65536): String
    "Not of a channel, and what comes second is nothing that JSON could say."
    odd: Anything
  }
  type News { text: String, number: Int, broken: String, refused: String }
`

/** What JSON cannot hold, one way or another. */
export const unsayable = (): object => ({
  toJSON() {
    throw new Error(SECRET)
  },
})

export async function openService(options: ServiceOptions = {}): Promise<Service> {
  const errors: unknown[] = []
  const exchanges: Service['exchanges'] = []
  const gates: Gate[] = []
  const [released, pulled, added] = [{ count: 0 }, { count: 0 }, { count: 0 }]
  const schema = schemaOf(gates, released, pulled, added)
  const executor = createSubscriptionExecutor({
    scope: (context: { tenantId?: string }) => (context.tenantId === undefined ? null : { tenantId: context.tenantId }),
    eventContext: ({ scope }) => ({ scope }),
    onError: (error) => errors.push(error),
    ...options.executor,
  })
  const endpoint = createSseEndpoint({
    executor,
    ...(options.host === undefined ? { schema, context: contextOf } : { host: options.host }),
    ...options.endpoint,
  })
  const { serve = (request, response, { handler }) => handler(request, response) } = options
  const server = createServer((request, response) => {
    exchanges.push({ request, response })
    serve(request, response, endpoint)
  })
  const address = await listen(server)
  onTestFinished(async () => {
    server.closeAllConnections()
    await endpoint.dispose()
    await executor.dispose()
    await new Promise((resolve) => server.close(resolve))
  })
  const exchange = (): Service['exchanges'][number] => {
    const [first] = exchanges
    if (first === undefined) throw new Error('no request has come')
    return first
  }
  const held = () => {
    const { connections, groups, subscriptions } = executor.metrics()
    return { connections: connections.active, groups: groups.active, subscriptions: subscriptions.active }
  }

  return {
    executor,
    endpoint,
    schema,
    server,
    port: (server.address() as AddressInfo).port,
    url: `http://${address}/graphql/stream`,
    errors,
    exchanges,
    exchange,
    pendingBytes: () => exchanges[0]?.response.writableLength ?? 0,
    gates,
    released,
    pulled,
    added,
    argsOf: (query) => ({ schema, document: parse(query), contextValue: { tenantId: 'acme' } }),
    async publish(topic, data, tenantId = 'acme') {
      await executor.publish({ tenantId, channel: topic, type: 'news', data })
    },
    active: (count) =>
      until(
        () => held().subscriptions === count,
        () => `${count} subscriptions run: ${JSON.stringify(held())} ${String(errors)}`,
      ),
    connected: (count) =>
      until(
        () => held().connections === count,
        () => `${count} responses are open: ${JSON.stringify(held())}`,
      ),
    idle: (releasedCount = 0) =>
      until(
        () => Object.values(held()).every((count) => count === 0) && released.count === releasedCount,
        () => `nothing is held: ${JSON.stringify([held(), released])}`,
      ),
  }
}

function contextOf({ req }: { readonly req: IncomingMessage }): { tenantId: string } {
  const { 'x-tenant': tenant } = req.headers
  return { tenantId: typeof tenant === 'string' ? tenant : 'acme' }
}

function schemaOf(
  gates: Gate[],
  released: { count: number },
  pulled: { count: number },
  added: { count: number },
): GraphQLSchema {
  const news = fromChannel({ channel: ({ topic }: { topic: string }) => topic, share: 'tenant' })
  const nextGate = (): Promise<void> => {
    const gate = createGate()
    gates.push(gate)
    return gate.opened
  }
  const broken = (): never => {
    throw new Error(SECRET)
  }
  const refused = (): never => {
    throw new GraphQLError('Not for you', { extensions: { code: 'REFUSED' } })
  }
  const emitting = <T>(field: string, values: (args: { size: number }) => Iterable<T>) => ({
    async *subscribe(_: unknown, args: { size: number }) {
      try {
        for (const value of values(args)) yield { [field]: value }
      } finally {
        released.count += 1
      }
    },
  })
  function* flood({ size }: { size: number }): Generator<string> {
    for (;;) {
      pulled.count += 1
      yield 'x'.repeat(size)
    }
  }
  return makeExecutableSchema({
    typeDefs,
    resolvers: {
      Anything: new GraphQLScalarType({ name: 'Anything' }),
      Query: {
        hello: () => 'world',
        big: (_: unknown, { size }: { size: number }) => 'x'.repeat(size),
        slow: () => nextGate().then(() => 'at last'),
        broken,
        refused,
        odd: unsayable,
      },
      Mutation: {
        add(_: unknown, { left, right }: { left: number; right: number }) {
          added.count += 1
          return left + right
        },
      },
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
        flood: emitting('flood', flood),
        odd: emitting('odd', () => [1, unsayable(), 2n, 3]),
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
            throw mine === true ? new GraphQLError('gone', { extensions: { code: 'GONE' } }) : new Error(SECRET)
          },
        },
      },
      News: { broken, refused },
    },
  })
}
