import { createServer, type IncomingMessage } from 'node:http'
import { createSubscriptionExecutor, schemaHost, type SluiceContext, type SubscriptionExecutor } from '@sluice/core'
import { createSseEndpoint } from '@sluice/sse'
import { closeServer, listen } from '@sluice/testkit'
import { attachWebSocket, sluiceServerOptions } from '@sluice/ws'
import { useServer } from 'graphql-ws/use/ws'
import { WebSocketServer } from 'ws'
import type { ServerSetup, StartServer } from './test-server.ts'
import { contextOfUser, type UserContext } from './users.ts'

type ContextOf = (request: IncomingMessage) => UserContext & SluiceContext

function servicesOf({ schema, sluice, context = contextOfUser }: ServerSetup): {
  readonly executor: SubscriptionExecutor
  readonly contextOf: ContextOf
} {
  const executor = 'executor' in sluice ? sluice.executor : createSubscriptionExecutor({ ...sluice, schema })
  return {
    executor,
    contextOf({ headers }) {
      const given = context(headers.authorization)
      return { ...given, sluice: executor.publisherFor(given) }
    },
  }
}

/** graphql-ws set up by hand, with an endpoint for SSE beside it, as its page in the documentation does, and masking. */
export const startGraphqlWs: StartServer = async (setup) => {
  const { schema } = setup
  const { executor, contextOf } = servicesOf(setup)
  const events = createSseEndpoint({ executor, schema, context: ({ req }) => contextOf(req) })
  const httpServer = createServer((request, response) => {
    if (request.url === '/graphql/stream') events.handler(request, response)
    else response.writeHead(404).end()
  })
  const webSocketServer = new WebSocketServer({ server: httpServer, path: '/graphql' })
  const served = useServer(
    sluiceServerOptions(executor, { schema, context: ({ extra }) => contextOf(extra.request), maskErrors: true }),
    webSocketServer,
  )
  const address = await listen(httpServer)
  return {
    executor,
    httpServer,
    address,
    ssePath: '/graphql/stream',
    async stop() {
      await executor.dispose()
      await Promise.all([served.dispose(), events.dispose()])
      await closeServer(httpServer)
    },
  }
}

/** Nothing but Node's http: core's host, which masks by default, on both transports. */
export const startNodeHttp: StartServer = async (setup) => {
  const { executor, contextOf } = servicesOf(setup)
  const host = schemaHost({ executor, schema: setup.schema, context: ({ req }) => contextOf(req) })
  const events = createSseEndpoint({ executor, host })
  const httpServer = createServer((request, response) => {
    if (request.url === '/graphql/stream') events.handler(request, response)
    else response.writeHead(404).end()
  })
  const sockets = attachWebSocket({ executor, server: httpServer, path: '/graphql', host })
  const address = await listen(httpServer)
  return {
    executor,
    httpServer,
    address,
    ssePath: '/graphql/stream',
    async stop() {
      await executor.dispose()
      await Promise.all([sockets.dispose(), events.dispose()])
      await closeServer(httpServer)
    },
  }
}
