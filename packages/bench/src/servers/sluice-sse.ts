import { createServer } from 'node:http'
import { makeExecutableSchema } from '@graphql-tools/schema'
import { createSubscriptionExecutor } from '@sluice/core'
import { createSseEndpoint } from '@sluice/sse'
import { typeDefs } from '../workload/workload.ts'
import type { StartServer } from './bench-server.ts'
import { listen } from './listen.ts'
import { channelResolvers, executionOptions, TENANT_ID, type User, userOf } from './sluice-schema.ts'

/** Ours over SSE on `node:http`. */
export const startSluiceSse: StartServer = async (setup) => {
  const schema = makeExecutableSchema({ typeDefs, resolvers: channelResolvers(setup) })
  const executor = createSubscriptionExecutor({
    schema,
    scope: ({ user }: { readonly user: User | null }) => user,
    ...(await executionOptions(setup)),
  })
  const events = createSseEndpoint({
    executor,
    schema,
    context: ({ req }) => {
      const user = userOf(req.headers.authorization)
      return { user, sluice: executor.publisherFor({ user }) }
    },
  })
  const { topic: channel } = setup.workload
  return {
    port: await listen(createServer((request, response) => events.handler(request, response))),
    path: '/graphql/stream',
    publish: (data) => executor.publish({ tenantId: TENANT_ID, channel, type: 'updated', data }),
  }
}
