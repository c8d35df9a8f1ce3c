import { EventEmitter } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { ApolloServer, type BaseContext } from '@apollo/server'
import { ApolloServerPluginDrainHttpServer } from '@apollo/server/plugin/drainHttpServer'
import { expressMiddleware } from '@as-integrations/express5'
import { makeExecutableSchema } from '@graphql-tools/schema'
import { ApolloServerPluginSluice, type SluiceApolloPlugin } from '@sluice/apollo'
import { listen } from '@sluice/testkit'
import { sluiceServerOptions } from '@sluice/ws'
import express from 'express'
import { PubSub, withFilter } from 'graphql-subscriptions'
import { useServer } from 'graphql-ws/use/ws'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocketServer } from 'ws'
import { clientsOf } from './clients.ts'
import {
  type AppContext,
  assertMayAudit,
  type Events,
  type Feeds,
  type FieldName,
  fieldNames,
  movedFeeds,
  resolversOf,
  type SubscriptionField,
  typeDefs,
} from './migration.ts'
import type { Telling } from './migration-script.ts'
import { expectedOutcomes, runStage, type StageServer } from './run-migration-stage.ts'
import { ann, contextOfUser } from './users.ts'

/** What the server has of Sluice. */
interface Stage {
  readonly name: string
  readonly hasPlugin: boolean
  /**
   * Who serves WebSockets: graphql-ws as Apollo's documentation sets it up; the same with `sluiceServerOptions`; or the plugin,
   * which is given the HTTP server.
   */
  readonly webSocket: 'own' | 'own, with options' | 'plugin'
  readonly moved: readonly FieldName[]
}

const takers = [
  { webSocket: 'plugin', letter: 'b', how: 'the plugin serves WebSockets' },
  { webSocket: 'own, with options', letter: 'c', how: 'useServer gets sluiceServerOptions' },
] as const

const stages: readonly Stage[] = [
  { name: '0, as the server was', hasPlugin: false, webSocket: 'own', moved: [] },
  { name: '1, the plugin is added and nothing else changes', hasPlugin: true, webSocket: 'own', moved: [] },
  ...takers.flatMap(({ webSocket, letter, how }) => [
    { name: `1${letter}, ${how}`, hasPlugin: true, webSocket, moved: [] },
    ...fieldNames.map((name, index) => ({
      name: `${index + 2}${letter}, ${name} is moved and ${how}`,
      hasPlugin: true,
      webSocket,
      moved: fieldNames.slice(0, index + 1),
    })),
  ]),
]

/** The fields before their move, on the PubSub of graphql-subscriptions. */
function ownFeeds(eventEmitter: EventEmitter): Feeds {
  const pubSub = new PubSub<Record<string, unknown>>({ eventEmitter })
  const tenantOf = ({ user }: AppContext): string => user?.tenantId ?? ''
  return {
    posted: {
      field: { subscribe: () => pubSub.asyncIterableIterator(['POSTED']) },
      publish: (posted) => pubSub.publish('POSTED', { posted }),
    },
    orderChanged: {
      field: {
        subscribe: (_root: unknown, { id }: { id: string }, context: AppContext) =>
          pubSub.asyncIterableIterator(`ORDER.${tenantOf(context)}.${id}`),
      },
      publish: (orderChanged, context) =>
        pubSub.publish(`ORDER.${tenantOf(context)}.${orderChanged.id}`, { orderChanged }),
    },
    largeOrders: {
      field: {
        subscribe: withFilter(
          (_root: unknown, _args: { min: number } | undefined, context?: AppContext) =>
            pubSub.asyncIterableIterator(`ORDERS.${context?.user?.tenantId}`),
          (event, args) => (event as Pick<Events, 'largeOrders'>).largeOrders.total >= (args?.min ?? 0),
        ) as SubscriptionField['subscribe'],
      },
      publish: (largeOrders, context) => pubSub.publish(`ORDERS.${tenantOf(context)}`, { largeOrders }),
    },
    balance: {
      field: {
        subscribe: (_root: unknown, _args: unknown, { user }: AppContext) =>
          pubSub.asyncIterableIterator(`BALANCE.${user?.userId}`),
        resolve: ({ cents }: Events['balance']) => cents / 100,
      },
      publish: (event, { user }) => pubSub.publish(`BALANCE.${user?.userId}`, event),
    },
    temperature: {
      field: {
        async *subscribe() {
          // By its own types it cannot be iterated: its `throw` gives no result.
          const events = pubSub.asyncIterableIterator('TEMPERATURE') as unknown as AsyncIterable<Events['temperature']>
          for await (const { celsius } of events) yield { temperature: Math.round(celsius) }
        },
      },
      publish: (event) => pubSub.publish('TEMPERATURE', event),
    },
    audited: {
      field: {
        subscribe: (root: unknown, args: { id: string }, context: AppContext, info: unknown) => {
          assertMayAudit(args.id, context.user)
          return withFilter<Pick<Events, 'audited'>, { id: string }, AppContext>(
            () => pubSub.asyncIterableIterator(`AUDITED.${tenantOf(context)}`),
            (event, given) => event?.audited.id === given?.id,
          )(root as never, args, context, info)
        },
      },
      publish: (audited, context) => pubSub.publish(`AUDITED.${tenantOf(context)}`, { audited }),
    },
  }
}

type Context = AppContext & BaseContext

const contextOf = ({ headers }: IncomingMessage): Context => contextOfUser(headers.authorization)

/** @see https://www.apollographql.com/docs/apollo-server/data/subscriptions */
async function start({ hasPlugin, webSocket, moved }: Stage): Promise<StageServer> {
  const app = express()
  const httpServer = createServer(app)
  const sluice: SluiceApolloPlugin<Context> | undefined = hasPlugin
    ? ApolloServerPluginSluice<Context>({
        scope: ({ user }) => user,
        context: ({ req }) => contextOf(req),
        ...(webSocket === 'plugin' && { httpServer, server: () => server }),
        // It is needed as soon as a field is shared.
        ...(moved.length > 0 && { eventContext: ({ scope, initialContext }) => initialContext ?? { user: scope } }),
      })
    : undefined
  const emitter = new EventEmitter().setMaxListeners(0)
  const feeds: Feeds = {
    ...ownFeeds(emitter),
    ...(sluice && Object.fromEntries(moved.map((name) => [name, movedFeeds(sluice.executor)[name]]))),
  }
  const schema = makeExecutableSchema({ typeDefs, resolvers: resolversOf(feeds) as never })

  const cleanUps: { dispose(): Promise<void> | void }[] = []
  if (webSocket !== 'plugin') {
    const webSocketServer = new WebSocketServer({ server: httpServer, path: '/graphql' })
    cleanUps.push(
      webSocket === 'own' || sluice === undefined
        ? useServer({ schema, context: ({ extra }) => contextOf(extra.request) }, webSocketServer)
        : useServer(
            sluiceServerOptions(sluice.executor, {
              schema,
              context({ extra }) {
                const context = contextOf(extra.request)
                return { ...context, sluice: sluice.executor.publisherFor(context) }
              },
            }),
            webSocketServer,
          ),
    )
  }
  const quiet = (): void => {}
  const server: ApolloServer<Context> = new ApolloServer<Context>({
    schema,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    logger: { debug: quiet, info: quiet, warn: quiet, error: quiet },
    plugins: [
      // The plugin does it itself, if it has the HTTP server.
      ...(webSocket === 'plugin' ? [] : [ApolloServerPluginDrainHttpServer({ httpServer })]),
      {
        async serverWillStart() {
          return {
            async drainServer() {
              for (const cleanUp of cleanUps) await cleanUp.dispose()
            },
          }
        },
      },
      ...(sluice === undefined ? [] : [sluice]),
    ],
  })
  await server.start()
  app.use('/graphql', express.json(), expressMiddleware(server, { context: async ({ req }) => contextOf(req) }))
  return {
    address: await listen(httpServer),
    ssePath: '/graphql/stream',
    listenerCount: () => emitter.eventNames().reduce((count, name) => count + emitter.listenerCount(name), 0),
    executor: sluice?.executor,
    isServedBySluice: webSocket !== 'own',
    measured: (event) => feeds.temperature.publish(event, { user: undefined }),
    stop: () => server.stop(),
  }
}

const bug = { message: 'the printer is on fire' }

/** As graphql-ws tells of errors: as graphql-js gives them. */
const byGraphqlWs: Telling = { bug, failure: 'an error', refusal: 'a result', invalid: ['an error', {}] }

/** As Apollo Server tells of them: each has a code. */
const byApollo: Telling = {
  bug: { ...bug, extensions: { code: 'INTERNAL_SERVER_ERROR' } },
  failure: 'an error',
  refusal: 'an error',
  invalid: ['an error', { extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }],
}

describe('the clients of an Apollo Server', () => {
  for (const stage of stages) {
    it(`get what they always got in stage ${stage.name}`, async () => {
      const tellings = { WebSocket: stage.webSocket === 'plugin' ? byApollo : byGraphqlWs }
      expect(await runStage(await start(stage), tellings)).toEqual(expectedOutcomes(tellings))
    })
  }

  it('need a scope as soon as the plugin serves them', async () => {
    for (const { name, hasPlugin, webSocket } of stages.filter(({ moved }) => moved.length === 0)) {
      const server = await start({ name, hasPlugin, webSocket, moved: [] })
      onTestFinished(() => server.stop())
      const subscriber = clientsOf(server).subscribe('WebSocket', undefined, 'subscription { countdown(from: 1) }')
      if (webSocket === 'own') {
        expect(await subscriber.ended).toEqual({ kind: 'complete' })
        expect(subscriber.results).toHaveLength(2)
      } else {
        expect(await subscriber.refused()).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }])
      }
    }
  })

  it('are told what is wrong if a field is moved before the plugin serves WebSockets', async () => {
    const server = await start({ name: 'wrong', hasPlugin: true, webSocket: 'own', moved: ['posted'] })
    onTestFinished(() => server.stop())
    const subscriber = clientsOf(server).subscribe('WebSocket', ann, 'subscription { posted { text } }')
    const end = await subscriber.ended
    expect(end).toMatchObject({ kind: 'errors', errors: [{ extensions: { code: 'BAD_CONFIG' } }] })
    expect(JSON.stringify(end)).toContain('Install the plugin')
  })
})
