import { createServer } from 'node:http'
import { type SluiceContext, type SluiceInitialContext, useSluice } from '@sluice/yoga'
import { createSchema, createYoga } from 'graphql-yoga'
import { typeDefs } from '../workload/workload.ts'
import type { StartServer } from './bench-server.ts'
import { listen } from './listen.ts'
import { channelResolvers, executionOptions, TENANT_ID, userOf } from './sluice-schema.ts'

/** Ours in GraphQL Yoga with its default plugins, as docs/hosts/yoga.md has it; WebSocket and SSE are on the same path. */
export const startSluiceYoga: StartServer = async (setup) => {
  const sluice = useSluice({
    scope: ({ request, connectionParams }: SluiceInitialContext) =>
      userOf(request.headers.get('authorization') ?? connectionParams?.['authorization']),
    ...(await executionOptions(setup)),
  })
  const yoga = createYoga({
    schema: createSchema<SluiceContext>({ typeDefs, resolvers: channelResolvers(setup) }),
    plugins: [sluice],
  })
  const httpServer = createServer((request, response) => void yoga(request, response))
  sluice.attachWebSocket(httpServer)
  const { topic: channel } = setup.workload
  return {
    port: await listen(httpServer),
    path: yoga.graphqlEndpoint,
    publish: (data) => sluice.executor.publish({ tenantId: TENANT_ID, channel, type: 'updated', data }),
  }
}
