import { createServer } from 'node:http'
import type { ExecutionArgs, execute, GraphQLSchema, parse, subscribe, validate } from 'graphql'
import { useServer } from 'graphql-ws/use/ws'
import { createPubSub, createSchema, createYoga, type PubSub } from 'graphql-yoga'
import { WebSocketServer } from 'ws'
import { type EventData, typeDefs } from '../workload/workload.ts'
import type { BenchServer, ServerSetup, StartServer } from './bench-server.ts'
import { listen } from './listen.ts'

/** What Yoga gives to run one operation with. */
interface Engine {
  readonly schema: GraphQLSchema
  readonly parse: typeof parse
  readonly validate: typeof validate
  readonly execute: typeof execute
  readonly subscribe: typeof subscribe
  contextFactory(): unknown
}

/**
 * GraphQL Yoga with graphql-ws and Yoga's PubSub as Yoga's documentation sets them up; SSE is on the same path.
 *
 * @see https://the-guild.dev/graphql/yoga-server/docs/features/subscriptions#graphql-over-websocket-protocol-via-graphql-ws
 */
export const startYoga: StartServer = (setup) => startYogaWith(setup, createPubSub<Topics>())

/** What is published, by topic. */
export type Topics = Record<string, [event: EventData]>

/** As {@link startYoga}, with another pub/sub. */
export async function startYogaWith(
  { workload, starts }: Pick<ServerSetup, 'workload' | 'starts'>,
  pubSub: PubSub<Topics>,
): Promise<BenchServer> {
  const { field, topic } = workload
  const yoga = createYoga({
    graphiql: { subscriptionsProtocol: 'WS' },
    schema: createSchema({
      typeDefs,
      resolvers: {
        Subscription: {
          [field]: {
            subscribe: () => {
              starts.count()
              return pubSub.subscribe(topic)
            },
            resolve: (payload: EventData) => payload,
          },
        },
      },
    }),
  })
  const httpServer = createServer((request, response) => void yoga(request, response))
  const wsServer = new WebSocketServer({ server: httpServer, path: yoga.graphqlEndpoint })
  useServer(
    {
      execute: (args: ExecutionArgs) => (args.rootValue as Engine).execute(args),
      subscribe: (args: ExecutionArgs) => (args.rootValue as Engine).subscribe(args),
      async onSubscribe(ctx, _id, params) {
        const { schema, execute, subscribe, contextFactory, parse, validate } = yoga.getEnveloped({
          ...ctx,
          req: ctx.extra.request,
          socket: ctx.extra.socket,
          params,
        }) as Engine
        const args = {
          schema,
          operationName: params.operationName ?? null,
          document: parse(params.query),
          variableValues: params.variables ?? null,
          contextValue: await contextFactory(),
          rootValue: { execute, subscribe },
        }
        const errors = validate(args.schema, args.document)
        if (errors.length > 0) return errors
        return args
      },
    },
    wsServer,
  )
  return {
    port: await listen(httpServer),
    path: yoga.graphqlEndpoint,
    publish: (data) => pubSub.publish(topic, data),
  }
}
