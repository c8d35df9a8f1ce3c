import { createServer } from 'node:http'
import { closeServer, listen } from '@sluice/testkit'
import { type SluiceYogaPlugin, useSluice } from '@sluice/yoga'
import { useServer } from 'graphql-ws/use/ws'
import { createPubSub, createSchema, createYoga, filter, pipe } from 'graphql-yoga'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocketServer } from 'ws'
import { clientsOf, transports } from './clients.ts'
import {
  type AppContext,
  assertMayAudit,
  type Events,
  type Feeds,
  type FieldName,
  fieldNames,
  movedFeeds,
  type Order,
  resolversOf,
  typeDefs,
} from './migration.ts'
import type { Telling } from './migration-script.ts'
import { expectedOutcomes, runStage, type StageServer, type Tellings } from './run-migration-stage.ts'
import { contextOfUser } from './users.ts'

/** What the server has of Sluice. */
interface Stage {
  readonly name: string
  readonly hasPlugin: boolean
  /** Who serves WebSockets: the application, as Yoga's documentation says, or the plugin. */
  readonly webSocket: 'own' | 'attached'
  readonly moved: readonly FieldName[]
}

const moves = fieldNames.map((name, index) => ({ moved: fieldNames.slice(0, index + 1), name }))
const stages: readonly Stage[] = [
  { name: '0, as the server was', hasPlugin: false, webSocket: 'own', moved: [] },
  { name: '1, the plugin is added and nothing else changes', hasPlugin: true, webSocket: 'own', moved: [] },
  ...moves.map(({ moved, name }, index) => ({
    name: `${index + 2}, ${name} is moved and WebSockets are served as before`,
    hasPlugin: true,
    webSocket: 'own' as const,
    moved,
  })),
  { name: '1b, the plugin serves WebSockets', hasPlugin: true, webSocket: 'attached', moved: [] },
  ...moves.map(({ moved, name }, index) => ({
    name: `${index + 2}b, ${name} is moved and the plugin serves WebSockets`,
    hasPlugin: true,
    webSocket: 'attached' as const,
    moved,
  })),
]

/** Tells how many listen. */
class CountingTarget extends EventTarget {
  listenerCount = 0
  override addEventListener(...args: Parameters<EventTarget['addEventListener']>): void {
    this.listenerCount += 1
    super.addEventListener(...args)
  }
  override removeEventListener(...args: Parameters<EventTarget['removeEventListener']>): void {
    this.listenerCount -= 1
    super.removeEventListener(...args)
  }
}

/** The fields before their move, on Yoga's own PubSub. */
function ownFeeds(eventTarget: CountingTarget): Feeds {
  const pubSub = createPubSub<{
    posted: [payload: { posted: Events['posted'] }]
    orderChanged: [topic: string, order: Order]
    largeOrders: [tenantId: string, order: Order]
    balance: [userId: string, event: Events['balance']]
    temperature: [event: Events['temperature']]
    audited: [tenantId: string, order: Order]
  }>({ eventTarget: eventTarget as never })
  const tenantOf = ({ user }: AppContext): string => user?.tenantId ?? ''
  const resolve = (order: Order): Order => order
  return {
    posted: {
      field: { subscribe: () => pubSub.subscribe('posted') },
      publish: (posted) => pubSub.publish('posted', { posted }),
    },
    orderChanged: {
      field: {
        subscribe: (_root: unknown, { id }: { id: string }, context: AppContext) =>
          pubSub.subscribe('orderChanged', `${tenantOf(context)}:${id}`),
        resolve,
      },
      publish: (order, context) => pubSub.publish('orderChanged', `${tenantOf(context)}:${order.id}`, order),
    },
    largeOrders: {
      field: {
        subscribe: (_root: unknown, { min }: { min: number }, context: AppContext) =>
          pipe(
            pubSub.subscribe('largeOrders', tenantOf(context)),
            filter(({ total }) => total >= min),
          ),
        resolve,
      },
      publish: (order, context) => pubSub.publish('largeOrders', tenantOf(context), order),
    },
    balance: {
      field: {
        subscribe: (_root: unknown, _args: unknown, { user }: AppContext) =>
          pubSub.subscribe('balance', user?.userId ?? ''),
        resolve: ({ cents }: Events['balance']) => cents / 100,
      },
      publish: (event, { user }) => pubSub.publish('balance', user?.userId ?? '', event),
    },
    temperature: {
      field: {
        async *subscribe() {
          for await (const { celsius } of pubSub.subscribe('temperature')) yield { temperature: Math.round(celsius) }
        },
      },
      publish: (event) => pubSub.publish('temperature', event),
    },
    audited: {
      field: {
        subscribe: (_root: unknown, { id }: { id: string }, context: AppContext) => {
          assertMayAudit(id, context.user)
          return pipe(
            pubSub.subscribe('audited', tenantOf(context)),
            filter((order) => order.id === id),
          )
        },
        resolve,
      },
      publish: (order, context) => pubSub.publish('audited', tenantOf(context), order),
    },
  }
}

async function start({ hasPlugin, webSocket, moved }: Stage): Promise<StageServer> {
  const eventTarget = new CountingTarget()
  const sluice: SluiceYogaPlugin | undefined = hasPlugin
    ? useSluice<AppContext>({
        scope: ({ user }) => user,
        // It is needed as soon as a field is shared.
        ...(moved.length > 0 && { eventContext: ({ scope, initialContext }) => initialContext ?? { user: scope } }),
      })
    : undefined
  const feeds: Feeds = {
    ...ownFeeds(eventTarget),
    ...(sluice && Object.fromEntries(moved.map((name) => [name, movedFeeds(sluice.executor)[name]]))),
  }
  const yoga = createYoga({
    schema: createSchema({ typeDefs, resolvers: resolversOf(feeds) as never }),
    // In the set-up of Yoga's documentation there is no `request` over WebSocket.
    context: ({ request, req }: { request?: Request; req?: { headers: { authorization?: string } } }) =>
      contextOfUser(request?.headers.get('authorization') ?? req?.headers.authorization),
    logging: false,
    plugins: sluice === undefined ? [] : [sluice],
  })
  const httpServer = createServer((request, response) => void yoga(request, response))
  const stopSockets = webSocket === 'own' ? serveWebSockets(yoga, httpServer) : sluice?.attachWebSocket(httpServer)
  return {
    address: await listen(httpServer),
    ssePath: '/graphql',
    listenerCount: () => eventTarget.listenerCount,
    executor: sluice?.executor,
    isServedBySluice: hasPlugin,
    measured: (event) => feeds.temperature.publish(event, { user: undefined }),
    async stop() {
      await stopSockets?.()
      await yoga.dispose()
      await closeServer(httpServer)
    },
  }
}

type EnvelopedServer = Pick<ReturnType<typeof createYoga>, 'getEnveloped' | 'graphqlEndpoint'>
type EnvelopedArgs = { readonly rootValue: { execute(args: unknown): never; subscribe(args: unknown): never } }

/** @see https://the-guild.dev/graphql/yoga-server/docs/features/subscriptions#graphql-over-websocket-protocol-via-graphql-ws */
function serveWebSockets(yoga: EnvelopedServer, server: ReturnType<typeof createServer>) {
  const webSocketServer = new WebSocketServer({ server, path: yoga.graphqlEndpoint })
  const served = useServer(
    {
      execute: (args) => (args as unknown as EnvelopedArgs).rootValue.execute(args),
      subscribe: (args) => (args as unknown as EnvelopedArgs).rootValue.subscribe(args),
      onSubscribe: async (ctx, _id, params) => {
        const { schema, execute, subscribe, contextFactory, parse, validate } = yoga.getEnveloped({
          ...ctx,
          req: ctx.extra.request,
          socket: ctx.extra.socket,
          params,
        } as never)
        const args = {
          schema,
          operationName: params.operationName,
          document: parse(params.query),
          variableValues: params.variables,
          contextValue: await contextFactory(),
          rootValue: { execute, subscribe },
        }
        const errors = validate(args.schema, args.document)
        if (errors.length > 0) return errors
        return args
      },
    },
    webSocketServer,
  )
  return async () => {
    await served.dispose()
  }
}

const code = (name: string, more = {}) => ({ extensions: { code: name, ...more } })
const message = 'Unexpected error.'

/** As Yoga tells of errors where it serves the transport: they come in results. */
const byYoga: Telling = {
  bug: { message, ...code('INTERNAL_SERVER_ERROR') },
  failure: 'a result',
  refusal: 'a result',
  invalid: ['a result', code('GRAPHQL_VALIDATION_FAILED')],
}

/** As graphql-ws tells of them by what Yoga's documentation has it do: with what Yoga else keeps to itself. */
const byGraphqlWs: Telling = {
  bug: { message, ...code('INTERNAL_SERVER_ERROR', { unexpected: true }) },
  failure: 'an error',
  refusal: 'a result',
  invalid: ['an error', code('GRAPHQL_VALIDATION_FAILED', { http: { spec: true, status: 400 } })],
}

/** Each stage's way to tell of errors. What a client is told of its events is the same in all of them. */
function tellingsOf({ hasPlugin, webSocket }: Stage): Tellings {
  return {
    WebSocket: webSocket === 'own' ? byGraphqlWs : byYoga,
    // Yoga's own engine gives the failure of a source stream a place, which graphql-js does not.
    SSE: hasPlugin ? byYoga : { ...byYoga, failure: 'a located result' },
  }
}

describe('the clients of a Yoga server', () => {
  for (const stage of stages) {
    it(`get what they always got in stage ${stage.name}`, async () => {
      const tellings = tellingsOf(stage)
      expect(await runStage(await start(stage), tellings)).toEqual(expectedOutcomes(tellings))
    })
  }

  it('need a scope as soon as the plugin is there', async () => {
    for (const stage of stages.slice(0, 2)) {
      const server = await start(stage)
      onTestFinished(() => server.stop())
      const { subscribe } = clientsOf(server)
      for (const transport of transports) {
        const subscriber = subscribe(transport, undefined, 'subscription { countdown(from: 1) }')
        if (stage.hasPlugin) {
          expect(await subscriber.refused()).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }])
        } else {
          expect(await subscriber.ended).toEqual({ kind: 'complete' })
          expect(subscriber.results).toHaveLength(2)
        }
      }
    }
  })
})
