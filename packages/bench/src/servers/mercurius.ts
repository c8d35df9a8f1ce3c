import Fastify from 'fastify'
import { mercurius } from 'mercurius'
import { typeDefs } from '../workload/workload.ts'
import type { StartServer } from './bench-server.ts'

/**
 * Mercurius with its own PubSub, as its documentation sets it up.
 *
 * @see https://mercurius.dev/#/docs/subscriptions
 */
export const startMercurius: StartServer = async ({ workload, starts }) => {
  const { field, topic } = workload
  const app = Fastify()
  await app.register(mercurius, {
    schema: typeDefs,
    resolvers: {
      Subscription: {
        [field]: {
          subscribe: async (_root, _args, { pubsub }) => {
            const stream = await pubsub.subscribe(topic)
            starts.count()
            return stream
          },
        },
      },
    },
    subscription: true,
  })
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  return {
    port: Number(new URL(address).port),
    path: '/graphql',
    publish: (data) => {
      app.graphql.pubsub.publish({ topic, payload: { [field]: data } })
    },
  }
}
