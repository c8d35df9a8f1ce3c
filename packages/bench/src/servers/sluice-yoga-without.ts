import { createServer } from 'node:http'
import { type SluiceContext, type SluiceInitialContext, type SluiceYogaPlugin, useSluice } from '@sluice/yoga'
import { createSchema, createYoga } from 'graphql-yoga'
import { typeDefs } from '../workload/workload.ts'
import type { StartServer } from './bench-server.ts'
import { listen } from './listen.ts'
import { channelResolvers, executionOptions, TENANT_ID, userOf } from './sluice-schema.ts'

/** Ours in GraphQL Yoga, for the ladder: Envelop calls the hooks on results by its iterators, and Yoga wraps these. */
export const startSluiceYogaWithout: StartServer = async (setup) => {
  const sluice = useSluice({
    scope: ({ request, connectionParams }: SluiceInitialContext) =>
      userOf(request.headers.get('authorization') ?? connectionParams?.['authorization']),
    ...(await executionOptions(setup)),
  })
  const yoga = createYoga({
    schema: createSchema<SluiceContext>({ typeDefs, resolvers: channelResolvers(setup) }),
    plugins: [setup.without === 'hooks' ? seeingNoPlugins(sluice) : sluice],
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

/** The plugin, but it is shown a list of plugins that is nobody's, so that it can take over no hooks. */
function seeingNoPlugins(sluice: SluiceYogaPlugin): SluiceYogaPlugin {
  return { ...sluice, onPluginInit: (init) => sluice.onPluginInit?.({ ...init, plugins: [] }) }
}
