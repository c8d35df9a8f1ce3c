import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ApolloServer } from '@apollo/server'
import { expressMiddleware } from '@as-integrations/express5'
import { ApolloServerPluginSluice, type ContextInput } from '@sluice/apollo'
import { memoryBus, type SubscriptionExecutor } from '@sluice/core'
import express from 'express'
import { type Person, personOf } from './people.ts'
import { createDeskSchema, type Viewer } from './schema.ts'

export interface DeskServerOptions {
  /** @default 0: any free port */
  readonly port?: number
  /** @default 'localhost' */
  readonly host?: string
}

export interface DeskServer {
  /** `/graphql` takes POST and WebSocket, `/graphql/stream` is for SSE, `/metrics` for Prometheus. */
  readonly url: string
  readonly executor: SubscriptionExecutor
  /** Completes the subscriptions, closes the sockets, and resolves when the server is down. */
  close(): Promise<void>
}

/** The context of a request. */
interface RequestContext {
  readonly viewer: Person | undefined
}

/** One function says who asks, over HTTP, WebSocket and SSE. A browser's WebSocket sends its token as connectionParams. */
async function context({ req, connectionParams }: Omit<ContextInput, 'transport'>): Promise<RequestContext> {
  return { viewer: personOf(req.headers.authorization ?? connectionParams?.['authorization']) }
}

/** Starts Apollo Server on Express, with Sluice on the in-memory bus. Rejects if the port is taken. */
export async function startDeskServer({ port = 0, host = 'localhost' }: DeskServerOptions = {}): Promise<DeskServer> {
  const app = express()
  const httpServer = createServer(app)
  const sluice = ApolloServerPluginSluice<RequestContext>({
    httpServer,
    context,
    server: () => server,
    bus: memoryBus(),
    scope: ({ viewer }) => viewer && { tenantId: viewer.tenantId, userId: viewer.userId, roles: [viewer.role] },
    // The context of an event: what all have in common for whom it is executed. `partition` is what `share` gave for them.
    eventContext: ({ scope: { tenantId, partition } }): { viewer: Viewer } => ({
      viewer: { tenantId, role: partition },
    }),
  })
  const server: ApolloServer<RequestContext> = new ApolloServer<RequestContext>({
    schema: createDeskSchema(),
    plugins: [sluice],
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false, // main.ts stops it, and exits with 0
  })
  await server.start()

  app.get('/metrics', sluice.metricsHandler)
  app.use('/graphql/stream', sluice.sseHandler)
  app.use('/graphql', express.json(), expressMiddleware(server, { context }))
  const close = () => server.stop()
  try {
    await listen(httpServer, port, host)
  } catch (error) {
    await close()
    throw error
  }
  return { url: urlOf(httpServer, host), executor: sluice.executor, close }
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function urlOf(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo
  const everywhere = host === '0.0.0.0' || host === '::'
  return `http://${everywhere ? 'localhost' : host.includes(':') ? `[${host}]` : host}:${port}`
}
