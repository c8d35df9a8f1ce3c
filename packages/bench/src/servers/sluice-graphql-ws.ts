import { createServer } from 'node:http'
import { makeExecutableSchema } from '@graphql-tools/schema'
import { createSubscriptionExecutor, type EventBus } from '@sluice/core'
import { sluiceServerOptions } from '@sluice/ws'
import { useServer } from 'graphql-ws/use/ws'
import { WebSocketServer } from 'ws'
import { typeDefs } from '../workload/workload.ts'
import type { BenchServer, ServerSetup, StartServer } from './bench-server.ts'
import { listen } from './listen.ts'
import { channelResolvers, executionOptions, TENANT_ID, type User, userOf } from './sluice-schema.ts'

/** Ours with graphql-ws by hand, as docs/hosts/graphql-ws.md has it. */
export const startSluiceGraphqlWs: StartServer = (setup) => startSluiceGraphqlWsWith(setup)

/** As {@link startSluiceGraphqlWs}, on another bus. */
export async function startSluiceGraphqlWsWith(setup: ServerSetup, bus?: EventBus): Promise<BenchServer> {
  const schema = makeExecutableSchema({ typeDefs, resolvers: channelResolvers(setup) })
  const executor = createSubscriptionExecutor({
    schema,
    ...(bus !== undefined && { bus }),
    scope: ({ user }: { readonly user: User | null }) => user,
    ...(await executionOptions(setup)),
  })
  const httpServer = createServer()
  useServer(
    sluiceServerOptions(executor, {
      schema,
      context: ({ connectionParams }) => {
        const user = userOf(connectionParams?.['authorization'])
        return { user, sluice: executor.publisherFor({ user }) }
      },
      maskErrors: true,
    }),
    new WebSocketServer({ server: httpServer, path: '/graphql' }),
  )
  const { topic: channel } = setup.workload
  return {
    port: await listen(httpServer),
    path: '/graphql',
    publish: (data) => executor.publish({ tenantId: TENANT_ID, channel, type: 'updated', data }),
  }
}
