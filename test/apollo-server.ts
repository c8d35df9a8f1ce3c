import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import { ApolloServer, type BaseContext, HeaderMap } from '@apollo/server'
import { expressMiddleware } from '@as-integrations/express5'
import { ApolloServerPluginSluice, type SluiceApolloPlugin } from '@sluice/apollo'
import { listen } from '@sluice/testkit'
import express from 'express'
import type { GraphQLFormattedError } from 'graphql'
import { isInternal, maskedBy, type StartServer } from './test-server.ts'
import { contextOfUser, type UserContext } from './users.ts'

type Context = UserContext & BaseContext
type ContextFunction = (input: { readonly req: IncomingMessage }) => Promise<Context>
type Listener = (request: IncomingMessage, response: ServerResponse) => void

/** Puts Apollo Server onto an HTTP server: `/graphql`, `/graphql/stream` and, if there are to be any, `/metrics`. */
export type Mount = (mounted: {
  readonly server: ApolloServer<Context>
  readonly sluice: SluiceApolloPlugin<Context>
  readonly context: ContextFunction
  readonly hasMetrics: boolean
}) => Listener

export const onExpress: Mount = ({ server, sluice, context, hasMetrics }) => {
  const app = express()
  if (hasMetrics) app.get('/metrics', sluice.metricsHandler)
  app.use('/graphql/stream', sluice.sseHandler)
  app.use('/graphql', express.json(), expressMiddleware(server, { context }))
  return app
}

export const onNodeHttp: Mount = ({ server, sluice, context, hasMetrics }) => {
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const headers = new HeaderMap()
    for (const [name, value] of Object.entries(request.headers))
      if (value !== undefined) headers.set(name, String(value))
    const answer = await server.executeHTTPGraphQLRequest({
      httpGraphQLRequest: { method: request.method ?? 'GET', headers, search: '', body: await json(request) },
      context: () => context({ req: request }),
    })
    response.writeHead(answer.status ?? 200, Object.fromEntries(answer.headers))
    response.end(answer.body.kind === 'complete' ? answer.body.string : undefined)
  }
  return (request, response) => {
    if (request.url === '/graphql/stream') sluice.sseHandler(request, response)
    else if (request.url === '/metrics' && hasMetrics) sluice.metricsHandler(request, response)
    else if (request.url === '/graphql') void serve(request, response).catch(() => response.destroy())
    else response.writeHead(404).end()
  }
}

/**
 * Apollo Server.
 *
 * @param handsOver whether the plugin is given the server, so that Apollo's pipeline runs the operations of our transports
 */
export function startApollo(mount: Mount, handsOver = true): StartServer {
  return async ({ schema, sluice: options, context: contextFor = contextOfUser, log = () => {}, metrics }) => {
    const context: ContextFunction = async ({ req }) => contextFor(req.headers.authorization)
    let handle: Listener = () => {}
    const httpServer = createServer((request, response) => handle(request, response))
    const sluice = ApolloServerPluginSluice<Context>({
      ...options,
      httpServer,
      context,
      ...(handsOver && { server: () => server }),
      ...(metrics && { metrics }),
    })
    const quiet = (): void => {}
    const server: ApolloServer<Context> = new ApolloServer<Context>({
      schema,
      plugins: [sluice],
      includeStacktraceInErrorResponses: false,
      stopOnTerminationSignals: false,
      logger: { debug: quiet, info: quiet, warn: quiet, error: quiet },
      formatError: hiding(log),
    })
    await server.start()
    handle = mount({ server, sluice, context, hasMetrics: metrics !== undefined })
    const address = await listen(httpServer)
    return {
      executor: sluice.executor,
      httpServer,
      address,
      ssePath: '/graphql/stream',
      stop: () => server.stop(),
    }
  }
}

/** Apollo Server shows clients what resolvers throw; an application that wants to hide it does it so. */
function hiding(log: (error: unknown) => void) {
  return (formatted: GraphQLFormattedError, error: unknown): GraphQLFormattedError => {
    if (!isInternal(error)) return formatted
    log(error)
    const { path, locations } = formatted
    return {
      message: maskedBy.apollo,
      ...(path && { path }),
      ...(locations && { locations }),
      extensions: { code: 'INTERNAL_SERVER_ERROR' },
    }
  }
}
