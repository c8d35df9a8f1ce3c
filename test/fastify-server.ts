import type { IncomingMessage } from 'node:http'
import { envelop, type Plugin, useEngine, useMaskedErrors, useSchema } from '@envelop/core'
import { envelopHost, useSluice } from '@sluice/envelop'
import { createSseEndpoint } from '@sluice/sse'
import { attachWebSocket } from '@sluice/ws'
import Fastify from 'fastify'
import * as graphql from 'graphql'
import { type DocumentNode, GraphQLError, type GraphQLSchema } from 'graphql'
import type { Registry } from 'prom-client'
import { isInternal, maskedBy, type StartServer } from './test-server.ts'
import { contextOfUser, type UserContext } from './users.ts'

interface InitialContext {
  readonly req: IncomingMessage
}

/** Envelop on Fastify, as its page in the documentation sets it up. */
export const startFastify: StartServer = async ({
  schema,
  sluice: options,
  context = contextOfUser,
  log = () => {},
  metrics,
}) => {
  const sluice = useSluice<UserContext>({ ...options, metrics })
  const useUser: Plugin<InitialContext & UserContext> = {
    onContextBuilding: ({ context: { req }, extendContext }) => extendContext(context(req.headers.authorization)),
  }
  const getEnveloped = envelop({
    plugins: [
      useEngine(graphql),
      useSchema(schema),
      useUser,
      useMaskedErrors({ errorMessage: maskedBy.envelop, maskError: hiding(log) }),
      sluice,
    ],
  })
  const { executor } = sluice
  const host = envelopHost(getEnveloped)
  const app = Fastify()
  const sockets = attachWebSocket({ executor, server: app.server, path: '/graphql', host })
  const events = createSseEndpoint({ executor, host })
  app.post('/graphql/stream', (request, reply) => {
    reply.hijack()
    events.handler(Object.assign(request.raw, { body: request.body }), reply.raw)
  })
  app.post('/graphql', async ({ raw: req, body }) => {
    const { query } = body as { readonly query: string }
    const enveloped = getEnveloped({ req } as never)
    const schema = enveloped.schema as GraphQLSchema
    const document = enveloped.parse(query) as DocumentNode
    const errors = enveloped.validate(schema, document) as GraphQLError[]
    if (errors.length > 0) return { errors }
    return enveloped.execute({ schema, document, contextValue: await enveloped.contextFactory() }) as Promise<object>
  })
  if (metrics?.registry !== undefined) {
    const registry = metrics.registry as Registry
    app.get('/metrics', async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()))
  }
  app.addHook('preClose', async () => {
    await sluice.dispose()
    await Promise.all([sockets.dispose(), events.dispose()])
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return {
    executor,
    httpServer: app.server,
    address: `127.0.0.1:${(app.server.address() as { port: number }).port}`,
    ssePath: '/graphql/stream',
    stop: () => app.close(),
  }
}

/** Envelop's own masker forgets where an error was, and tells nobody; this one keeps it, and logs. */
function hiding(log: (error: unknown) => void) {
  return (error: unknown, message: string): Error => {
    if (!isInternal(error)) return error as GraphQLError
    log(error)
    const { path, nodes } = error as Partial<GraphQLError>
    return new GraphQLError(message, { path: path ?? null, nodes: nodes ?? null })
  }
}
