import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { memoryBus, type Scope, type SubscriptionExecutor } from '@sluice/core'
import { useSluice } from '@sluice/yoga'
import { GraphQLError } from 'graphql'
import { createYoga } from 'graphql-yoga'
import { createAudience } from './audience.ts'
import { createShop } from './orders.ts'
import { createPage } from './page.ts'
import { createBoardSchema } from './schema.ts'
import { TENANTS, type Tenant, createTokens } from './tenants.ts'

export interface DemoServerOptions {
  /** @default 0: any free port */
  readonly port?: number
  /** @default 'localhost' */
  readonly host?: string
}

export interface DemoServer {
  /** Where the board is, with a slash at the end. */
  readonly url: string
  /** Where GraphQL is: queries and mutations, SSE, and WebSocket. */
  readonly endpoint: string
  readonly executor: SubscriptionExecutor
  bearerOf(tenant: Tenant): string
  /** Completes the subscriptions, closes the sockets, and resolves when the server is down. */
  close(): Promise<void>
}

/** What Yoga and Sluice hand to the context: a `Request` always, connection parameters over WebSocket only. */
interface Incoming {
  readonly request: Request
  readonly connectionParams?: Readonly<Record<string, unknown>> | undefined
}

/** Starts the demo: Yoga with Sluice on the in-memory bus, and the page. Rejects if the port is taken. */
export async function createDemoServer({ port = 0, host = 'localhost' }: DemoServerOptions = {}): Promise<DemoServer> {
  const tokens = createTokens(TENANTS)
  let endpoint = ''
  const boards = new Map(
    TENANTS.map((tenant) => [
      tenant.id,
      {
        shop: createShop(tenant),
        audience: createAudience({ tenant, bearer: tokens.bearerOf(tenant), endpoint: () => endpoint }),
      },
    ]),
  )

  // A browser cannot set headers on a WebSocket; it sends the same value as a connection parameter.
  function scopeOf({ request, connectionParams }: Incoming): Scope | null {
    const authorization = connectionParams?.['authorization'] ?? request.headers.get('authorization')
    return typeof authorization === 'string' ? tokens.scopeOf(authorization) : null
  }

  function boardOf(scope: Pick<Scope, 'tenantId'> | null) {
    const board = scope && boards.get(scope.tenantId)
    if (!board) throw new GraphQLError('Who is asking?', { extensions: { code: 'UNAUTHENTICATED' } })
    return { ...board }
  }

  const sluice = useSluice({
    bus: memoryBus(),
    scope: scopeOf,
    // The context of an event that is executed for a whole tenant: nothing of any one subscriber is in it.
    eventContext: ({ scope }) => boardOf(scope),
  })
  const yoga = createYoga({
    schema: createBoardSchema(sluice.executor),
    context: (incoming: Incoming) => boardOf(scopeOf(incoming)),
    plugins: [sluice],
    graphiql: false,
    landingPage: false,
    cors: false,
    logging: 'warn',
  })
  const page = createPage(TENANTS, tokens)
  const server = createServer((request, response) => {
    if (pathOf(request.url) === yoga.graphqlEndpoint) void yoga(request, response)
    else page(request, response)
  })
  sluice.attachWebSocket(server)
  server.on('upgrade', (request, socket) => {
    if (pathOf(request.url) !== yoga.graphqlEndpoint) socket.destroy()
  })

  try {
    await listen(server, port, host)
  } catch (error) {
    await yoga.dispose()
    throw error
  }
  const url = urlOf(server, host)
  endpoint = new URL(yoga.graphqlEndpoint, url).href

  return {
    url,
    endpoint,
    executor: sluice.executor,
    bearerOf: tokens.bearerOf,
    async close() {
      for (const { audience } of boards.values()) audience.dismiss()
      const closed = new Promise((resolve) => server.close(resolve))
      await yoga.dispose()
      server.closeAllConnections()
      await closed
    },
  }
}

function pathOf(url = '/'): string {
  return url.split('?', 1)[0] ?? '/'
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
  return `http://${everywhere ? 'localhost' : host.includes(':') ? `[${host}]` : host}:${port}/`
}
