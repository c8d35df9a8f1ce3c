import { createServer } from 'node:http'
import { ApolloServer } from '@apollo/server'
import { expressMiddleware } from '@as-integrations/express5'
import { ApolloServerPluginSluice, type ContextInput } from '@sluice/apollo'
import express from 'express'
import { typeDefs } from '../workload/workload.ts'
import type { StartServer } from './bench-server.ts'
import { listen } from './listen.ts'
import { channelResolvers, executionOptions, TENANT_ID, type User, userOf } from './sluice-schema.ts'

interface Context {
  readonly user: User | null
}

/** Ours in Apollo Server, as docs/hosts/apollo.md has it. */
export const startSluiceApollo: StartServer = async (setup) => {
  const context = async ({ req, connectionParams }: Omit<ContextInput, 'transport'>): Promise<Context> => ({
    user: userOf(req.headers.authorization ?? connectionParams?.['authorization']),
  })
  const app = express()
  const httpServer = createServer(app)
  const sluice = ApolloServerPluginSluice<Context>({
    httpServer,
    context,
    scope: ({ user }) => user,
    ...(await executionOptions(setup)),
    server: () => server,
  })
  const server: ApolloServer<Context> = new ApolloServer<Context>({
    typeDefs,
    resolvers: channelResolvers(setup),
    plugins: [sluice],
  })
  await server.start()
  app.use('/graphql/stream', sluice.sseHandler)
  app.use('/graphql', express.json(), expressMiddleware(server, { context }))
  const { topic: channel } = setup.workload
  return {
    port: await listen(httpServer),
    path: '/graphql',
    publish: (data) => sluice.executor.publish({ tenantId: TENANT_ID, channel, type: 'updated', data }),
  }
}
