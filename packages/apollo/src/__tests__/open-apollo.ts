import { createServer, type Server } from 'node:http'
import { ApolloServer, type ApolloServerOptionsWithSchema, type ApolloServerPlugin } from '@apollo/server'
import { makeExecutableSchema } from '@graphql-tools/schema'
import { fromChannel } from '@sluice/core'
import {
  listen,
  type Subscriber,
  subscribeOverSse,
  until,
  type WebSocketClient,
  webSocketClient,
  type WebSocketClientOptions,
} from '@sluice/testkit'
import { GraphQLError } from 'graphql'
import { onTestFinished } from 'vitest'
import { ApolloServerPluginSluice, type ApolloServerPluginSluiceOptions, type SluiceApolloPlugin } from '../index.ts'
import type { TestContext } from './apollo-host.ts'
import { contextOf } from './apollo-host.ts'
import { serveWithNodeHttp } from './serve-with-node-http.ts'

export interface OpenApolloOptions {
  readonly sluice?: Partial<ApolloServerPluginSluiceOptions<TestContext>>
  readonly apollo?: Partial<ApolloServerOptionsWithSchema<TestContext>>
  /** What else is on the HTTP server, before the plugin. */
  readonly alsoOn?: (httpServer: Server) => { close(): void }
  /** Plugins that stand behind ours in the list. */
  readonly pluginsAfter?: readonly ApolloServerPlugin<TestContext>[]
  /** Whether the plugin is handed the server. @default true */
  readonly handsOver?: boolean
}

/** An Apollo Server with the plugin on `node:http`, and clients of it. Everything is closed when the test is over. */
export interface OpenApollo {
  readonly sluice: SluiceApolloPlugin<TestContext>
  readonly server: ApolloServer<TestContext>
  readonly httpServer: Server
  readonly url: string
  /** What the executor's `onError` heard. */
  readonly errors: unknown[]
  connect(options?: Partial<WebSocketClientOptions>): WebSocketClient
  subscribe(query: string): Subscriber
  post(body: object): Promise<{ readonly status: number; readonly body: unknown }>
  active(count: number): Promise<void>
  publish(data: unknown): Promise<void>
}

export const secret = 'password=hunter2'

const typeDefs = /* GraphQL */ `
  type Query { hello: String, broken: String, echo(number: Int!): Int, tag: String, slow: String }
  type Mutation { rename(name: String!): String }
  type Subscription { renamed(number: Int): Named, refusing: Named, failing: Named }
  type Named { name: String, broken: String, tag: String }
`

const fail = (): never => {
  throw new Error(secret)
}

/** What holds back the field `slow` until a test lets it go. */
export interface Gate {
  readonly reached: Promise<void>
  open(): void
}

export function gate(): Gate & { pass(): Promise<string> } {
  let reach = (): void => {}
  let open = (): void => {}
  const reached = new Promise<void>((resolve) => {
    reach = resolve
  })
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return {
    reached,
    open,
    async pass() {
      reach()
      await opened
      return 'at last'
    },
  }
}

export function schemaOf(slow: () => Promise<string> = async () => 'slow') {
  return makeExecutableSchema({
    typeDefs,
    resolvers: {
      Query: {
        hello: () => 'world',
        broken: fail,
        echo: (_: unknown, { number }: { number: number }) => number,
        tag: (_: unknown, __: unknown, { tag }: { tag?: string }) => tag,
        slow,
      },
      Mutation: {
        async rename(
          _: unknown,
          { name }: { name: string },
          { sluice }: { sluice: { publish(event: object): unknown } },
        ) {
          await sluice.publish({ channel: 'names', type: 'renamed', data: { name } })
          return name
        },
      },
      Subscription: {
        renamed: fromChannel({ channel: 'names', share: 'tenant' }),
        failing: {
          async *subscribe() {
            yield { failing: { name: 'first' } }
            throw new GraphQLError(secret, { extensions: { http: { status: 500 }, host: secret } })
          },
        },
        refusing: {
          subscribe: () => {
            throw new GraphQLError('not today', { extensions: { code: 'CLOSED', http: { status: 403 } } })
          },
        },
      },
      Named: { broken: fail, tag: (_: unknown, __: unknown, { tag }: { tag?: string }) => tag },
    },
  })
}

const quiet = (): void => {}

export async function openApollo({
  sluice: own,
  apollo,
  alsoOn,
  pluginsAfter = [],
  handsOver = true,
}: OpenApolloOptions = {}): Promise<OpenApollo> {
  const errors: unknown[] = []
  let handle: ReturnType<typeof serveWithNodeHttp> = () => {}
  const httpServer = createServer((request, response) => handle(request, response as never))
  const other = alsoOn?.(httpServer)
  onTestFinished(() => other?.close())
  const sluice = ApolloServerPluginSluice<TestContext>({
    scope: ({ identity }) => ({ tenantId: identity.authorization ?? 'acme' }),
    eventContext: () => ({}),
    onError: (error: unknown) => errors.push(error),
    httpServer,
    context: contextOf,
    ...(handsOver && { server: () => server }),
    ...own,
  })
  const { plugins = [], ...others } = apollo ?? {}
  const server: ApolloServer<TestContext> = new ApolloServer<TestContext>({
    schema: schemaOf(),
    logger: { debug: quiet, info: quiet, warn: quiet, error: quiet },
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    plugins: [...plugins, sluice, ...pluginsAfter],
    ...others,
  })
  await server.start()
  handle = serveWithNodeHttp({ server, sluice })
  const address = await listen(httpServer)
  const url = `http://${address}/graphql`
  const { executor } = sluice
  const clients: WebSocketClient[] = []
  const subscribers: Subscriber[] = []
  onTestFinished(async () => {
    for (const subscriber of subscribers) subscriber.complete()
    await Promise.all(clients.map((client) => client.dispose()))
    await server.stop()
    httpServer.closeAllConnections()
  })
  return {
    sluice,
    server,
    httpServer,
    url,
    errors,
    connect(options) {
      const client = webSocketClient({ url: url.replace('http', 'ws'), headers: {}, ...options })
      clients.push(client)
      return client
    },
    subscribe(query) {
      const subscriber = subscribeOverSse({ url: `${url}/stream`, headers: {} }, { query })
      subscribers.push(subscriber)
      return subscriber
    },
    async post(body) {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      return { status: response.status, body: (await response.json()) as unknown }
    },
    active: (count) => until(() => executor.metrics().subscriptions.active === count, `${count} subscriptions run`),
    async publish(data) {
      await executor.publish({ tenantId: 'acme', channel: 'names', type: 'renamed', data })
    },
  }
}
