import { createServer } from 'node:http'
import { closeServer, listen } from '@sluice/testkit'
import { useSluice } from '@sluice/yoga'
import { createYoga, type Plugin, type YogaInitialContext } from 'graphql-yoga'
import { maskedBy, type ServerSetup, type StartServer, type TestServer } from './test-server.ts'
import { contextOfUser, type UserContext } from './users.ts'

/** GraphQL Yoga on `node:http`. */
export const startYoga: StartServer = (setup) => startYogaWith(setup)

/** GraphQL Yoga with more plugins, before ours. */
export async function startYogaWith(
  { schema, sluice: options, context = contextOfUser, log = () => {}, metrics }: ServerSetup,
  plugins: readonly Plugin[] = [],
): Promise<TestServer> {
  const sluice = useSluice<UserContext>({ ...options, metrics: metrics && { ...metrics, endpoint: '/metrics' } })
  const quiet = (): void => {}
  const yoga = createYoga({
    schema,
    context: ({ request }: YogaInitialContext) => context(request.headers.get('authorization') ?? undefined),
    maskedErrors: { errorMessage: maskedBy.yoga },
    logging: { debug: quiet, info: quiet, warn: quiet, error: log },
    plugins: [...plugins, sluice],
  })
  const httpServer = createServer((request, response) => void yoga(request, response))
  sluice.attachWebSocket(httpServer)
  const address = await listen(httpServer)
  return {
    executor: sluice.executor,
    httpServer,
    address,
    ssePath: '/graphql',
    async stop() {
      await yoga.dispose()
      await closeServer(httpServer)
    },
  }
}
