import { createServer } from 'node:http'
import { ApolloServer } from '@apollo/server'
import { ApolloServerPluginDrainHttpServer } from '@apollo/server/plugin/drainHttpServer'
import { expressMiddleware } from '@as-integrations/express5'
import { makeExecutableSchema } from '@graphql-tools/schema'
import express from 'express'
import { PubSub, type PubSubEngine } from 'graphql-subscriptions'
import { useServer } from 'graphql-ws/use/ws'
import { WebSocketServer } from 'ws'
import { typeDefs } from '../workload/workload.ts'
import type { BenchServer, ServerSetup, StartServer } from './bench-server.ts'
import { listen } from './listen.ts'

/**
 * graphql-ws and graphql-subscriptions as Apollo's documentation sets them up.
 *
 * @see https://www.apollographql.com/docs/apollo-server/data/subscriptions
 */
export const startGraphqlWs: StartServer = (setup) => startGraphqlWsWith(setup, new PubSub())

/** As {@link startGraphqlWs}, with another pub/sub engine, which is the line that the documentation has one change. */
export async function startGraphqlWsWith(
  { workload, starts }: Pick<ServerSetup, 'workload' | 'starts'>,
  pubsub: PubSubEngine,
): Promise<BenchServer> {
  const { field, topic } = workload
  const schema = makeExecutableSchema({
    typeDefs,
    resolvers: {
      Subscription: {
        [field]: {
          subscribe: () => {
            starts.count()
            return pubsub.asyncIterableIterator([topic])
          },
        },
      },
    },
  })
  const app = express()
  const httpServer = createServer(app)
  const wsServer = new WebSocketServer({ server: httpServer, path: '/graphql' })
  const serverCleanup = useServer({ schema }, wsServer)
  const server = new ApolloServer({
    schema,
    plugins: [
      ApolloServerPluginDrainHttpServer({ httpServer }),
      {
        async serverWillStart() {
          return {
            async drainServer() {
              await serverCleanup.dispose()
            },
          }
        },
      },
    ],
  })
  await server.start()
  app.use('/graphql', express.json(), expressMiddleware(server))
  return {
    port: await listen(httpServer),
    path: '/graphql',
    publish: (data) => pubsub.publish(topic, { [field]: data }),
  }
}
