import type { AddressInfo } from 'node:net'
import type { OperationParams, SubscriptionExecutor } from '@sluice/core'
import { envelopHost } from '@sluice/envelop'
import { createSseEndpoint } from '@sluice/sse'
import { attachWebSocket } from '@sluice/ws'
import Fastify from 'fastify'
import { Registry } from 'prom-client'
import { createEnveloped } from './enveloped.ts'
import { bodySchema, runOverHttp } from './graphql-over-http.ts'

export interface SensorsServerOptions {
  /** @default 0: any free port */
  readonly port?: number
  /** @default 'localhost' */
  readonly host?: string
}

export interface SensorsServer {
  /** `/graphql` takes POST and WebSocket, `/graphql/stream` is for SSE, `/metrics` for Prometheus. */
  readonly url: string
  readonly executor: SubscriptionExecutor
  /** Completes the subscriptions, closes the sockets, and resolves when the server is down. */
  close(): Promise<void>
}

/** Starts Fastify with Envelop and the transports of Sluice. Rejects if the port is taken. */
export async function startSensorsServer({
  port = 0,
  host = 'localhost',
}: SensorsServerOptions = {}): Promise<SensorsServer> {
  const registry = new Registry()
  const { sluice, getEnveloped } = createEnveloped(registry)
  const { executor } = sluice

  // When everybody has taken leave (preClose), a connection that a client keeps in reserve does not hold the server up.
  const app = Fastify({ forceCloseConnections: true })
  const operations = envelopHost(getEnveloped) // both transports run their operations through Envelop
  const sockets = attachWebSocket({ executor, server: app.server, path: '/graphql', host: operations })
  const events = createSseEndpoint({ executor, host: operations })

  app.post<{ Body: OperationParams }>('/graphql', { schema: { body: bodySchema } }, ({ raw, body }) =>
    runOverHttp(getEnveloped, raw, body),
  )
  app.post('/graphql/stream', (request, reply) => {
    reply.hijack() // what is written from now on is written by the endpoint
    events.handler(Object.assign(request.raw, { body: request.body }), reply.raw)
  })
  app.get('/metrics', async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()))
  app.addHook('preClose', async () => {
    await sluice.dispose() // delivers what was published, ends the subscriptions, and closes the bus
    await Promise.all([sockets.dispose(), events.dispose()])
  })

  const close = () => app.close()
  try {
    await app.listen({ port, host })
  } catch (error) {
    await close()
    throw error
  }
  return { url: urlOf(app.server.address() as AddressInfo, host), executor, close }
}

function urlOf({ port }: AddressInfo, host: string): string {
  const everywhere = host === '0.0.0.0' || host === '::'
  return `http://${everywhere ? 'localhost' : host.includes(':') ? `[${host}]` : host}:${port}`
}
