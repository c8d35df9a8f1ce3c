import { createServer } from 'node:http'
import { closeServer, listen } from '@sluice/testkit'
import { type SluiceYogaPlugin, useSluice } from '@sluice/yoga'
import { useServer } from 'graphql-ws/use/ws'
import { createPubSub, createSchema, createYoga, filter, pipe } from 'graphql-yoga'
import { expect, it } from 'vitest'
import { WebSocketServer } from 'ws'
import { transports } from './clients.ts'
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
import { expectedOutcomes, runStage, type StageServer } from './run-migration-stage.ts'
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
    measured: (event) => feeds.temperature.publish(event, { user: undefined }),
    async stop() {
      await stopSockets?.()
      await yoga.dispose()
      await closeServer(httpServer)
    },
  }
}

type EnvelopedArgs = { readonly rootValue: { execute(args: unknown): never; subscribe(args: unknown): never } }

/** @see https://the-guild.dev/graphql/yoga-server/docs/features/subscriptions#graphql-over-websocket-protocol-via-graphql-ws */
function serveWebSockets(yoga: ReturnType<typeof createYoga>, server: ReturnType<typeof createServer>) {
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

it.each(stages)('clients of Yoga get the same in stage $name', async (stage) => {
  expect(await runStage(await start(stage), transports)).toEqual(expectedOutcomes(transports))
})
