import type { IncomingMessage, ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import { HeaderMap } from '@apollo/server'
import { contextOf, type Mount } from './apollo-host.ts'

/** Apollo Server on `node:http` with nothing in between. */
export const serveWithNodeHttp: Mount =
  ({ server, sluice }) =>
  (request: IncomingMessage, response: ServerResponse) => {
    const { pathname, search } = new URL(request.url ?? '/', 'http://localhost')
    if (pathname === '/graphql/stream') return sluice.sseHandler(request, response)
    if (pathname === '/metrics') return sluice.metricsHandler(request, response)
    const serve = async (): Promise<void> => {
      const headers = new HeaderMap()
      for (const [name, value] of Object.entries(request.headers))
        if (value !== undefined) headers.set(name, String(value))
      const {
        status,
        headers: answered,
        body,
      } = await server.executeHTTPGraphQLRequest({
        httpGraphQLRequest: { method: request.method ?? 'GET', headers, search, body: await json(request) },
        context: () => contextOf({ req: request, connectionParams: undefined }),
      })
      response.writeHead(status ?? 200, Object.fromEntries(answered))
      response.end(body.kind === 'complete' ? body.string : undefined)
    }
    serve().catch(() => response.writeHead(400).end())
  }
