import { createServer, type IncomingMessage, type Server } from 'node:http'
import { ApolloServer, type ApolloServerOptionsWithGateway, type BaseContext } from '@apollo/server'
import { unwrapResolverError } from '@apollo/server/errors'
import { type HostFactory, type HostIdentity, type HostSetup, listen } from '@sluice/testkit'
import { GraphQLError, type GraphQLFormattedError, type GraphQLSchema } from 'graphql'
import { ApolloServerPluginSluice, type ContextInput, type SluiceApolloPlugin } from '../index.ts'

export interface TestContext extends BaseContext {
  readonly identity: HostIdentity
}

/** What one function says of who asks, over HTTP, WebSocket and SSE. */
export async function contextOf({
  req,
  connectionParams,
}: Pick<ContextInput, 'req' | 'connectionParams'>): Promise<TestContext> {
  return { identity: { authorization: req.headers.authorization, connectionParams } }
}

/** Puts Apollo Server onto an HTTP server. */
export type Mount = (mounted: {
  readonly server: ApolloServer<TestContext>
  readonly sluice: SluiceApolloPlugin<TestContext>
}) => (request: IncomingMessage, response: never) => void

type Gateway = ApolloServerOptionsWithGateway<TestContext>['gateway']

/** A gateway in the shape that Apollo Server knows, which only has schemas. */
function gatewayOf(first: GraphQLSchema): Gateway & { replace(schema: GraphQLSchema): void } {
  let tell: (schema: GraphQLSchema) => void = () => {}
  return {
    load: async () => {
      tell(first)
      return { executor: null }
    },
    onSchemaLoadOrUpdate(callback) {
      tell = (apiSchema) => callback({ apiSchema, coreSupergraphSdl: '' })
      return () => {}
    },
    stop: async () => {},
    replace: (schema) => tell(schema),
  }
}

/** An application's `formatError`, which hides what is internal and logs it. */
function hiding(log: (error: unknown) => void) {
  return (formatted: GraphQLFormattedError, error: unknown): GraphQLFormattedError => {
    const original = unwrapResolverError(error)
    if (original instanceof GraphQLError) return formatted
    log(original)
    const { path, locations } = formatted
    return {
      message: 'Something failed',
      ...(path && { path }),
      ...(locations && { locations }),
      extensions: { code: 'INTERNAL_SERVER_ERROR' },
    }
  }
}

/** Apollo Server's persisted queries, with some that were registered before. */
function persistedQueriesOf(operations: NonNullable<HostSetup['persistedOperations']>) {
  const texts = new Map([...operations].map(([hash, text]) => [`apq:${hash}`, text]))
  return {
    cache: {
      get: async (key: string) => texts.get(key),
      set: async (key: string, value: string) => void texts.set(key, value),
      delete: async (key: string) => texts.delete(key),
    },
  }
}

/** How Apollo Server is run in the host contract suite. */
export function apolloHost(mount: Mount): HostFactory {
  return {
    // Apollo Server has no hook that sees the result of an event.
    features: { sse: true, maskedErrors: 'perGroup', resultHooks: false, persistedOperations: true },

    async start({ schema, scope, executorOptions, maskErrors, persistedOperations, log }) {
      const gateway = gatewayOf(schema)
      let handle: (request: IncomingMessage, response: never) => void = () => {}
      const httpServer: Server = createServer((request, response) => handle(request, response as never))
      const sluice = ApolloServerPluginSluice<TestContext>({
        ...executorOptions,
        httpServer,
        context: contextOf,
        scope: ({ identity }) => scope(identity),
        server: () => server,
      })
      const quiet = (): void => {}
      const server: ApolloServer<TestContext> = new ApolloServer<TestContext>({
        gateway,
        plugins: [sluice],
        includeStacktraceInErrorResponses: false,
        stopOnTerminationSignals: false,
        logger: { debug: quiet, info: quiet, warn: quiet, error: quiet },
        ...(maskErrors && { formatError: hiding(log) }),
        ...(persistedOperations && { persistedQueries: persistedQueriesOf(persistedOperations) }),
      })
      await server.start()
      handle = mount({ server, sluice })
      const address = await listen(httpServer)
      return {
        executor: sluice.executor,
        httpServer,
        wsUrl: `ws://${address}/graphql`,
        sseUrl: `http://${address}/graphql/stream`,
        httpUrl: `http://${address}/graphql`,
        replaceSchema: (next) => gateway.replace(next),
        stop: () => server.stop(),
      }
    },
  }
}
