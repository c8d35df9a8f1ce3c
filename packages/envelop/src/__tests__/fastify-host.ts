import { envelop, type MaskError, type Plugin, useEngine, useMaskedErrors, useSchema } from '@envelop/core'
import { attachWebSocket } from '@sluice/ws'
import { createSseEndpoint } from '@sluice/sse'
import type { HostFactory, HostIdentity } from '@sluice/testkit'
import Fastify from 'fastify'
import * as graphql from 'graphql'
import { GraphQLError, type GraphQLSchema } from 'graphql'
import type { IncomingMessage } from 'node:http'
import { envelopHost, useSluice } from '../index.ts'

interface InitialContext {
  readonly req: IncomingMessage
  readonly connectionParams?: Readonly<Record<string, unknown>>
  readonly params: { readonly extensions?: Readonly<Record<string, unknown>> | null }
}

function identityOf({ req, connectionParams }: InitialContext): HostIdentity {
  return { authorization: req.headers.authorization, connectionParams }
}

/** What an Envelop plugin for persisted operations comes down to. */
function usePersisted(operations: ReadonlyMap<string, string>): Plugin<InitialContext> {
  return {
    onParse({ context, params, setParsedDocument }) {
      const persisted = context.params.extensions?.['persistedQuery'] as { sha256Hash: string } | undefined
      if (persisted === undefined) return
      const text = operations.get(persisted.sha256Hash) ?? ''
      if (text === '') throw new GraphQLError('PersistedQueryNotFound')
      setParsedDocument(graphql.parse(text, params.options))
    },
  }
}

/** Envelop on Fastify, as its documentation sets it up, with our transports. */
export const fastifyHost: HostFactory = {
  // Envelop masks in a hook of each subscriber's results.
  features: { sse: true, maskedErrors: 'perSubscriber', resultHooks: true, persistedOperations: true },

  async start({ schema, scope, executorOptions, maskErrors, rewriteResult, persistedOperations, log }) {
    let replace: (schema: GraphQLSchema) => void = () => {}
    const sluice = useSluice<InitialContext>({ ...executorOptions, scope: (context) => scope(identityOf(context)) })
    const others: Plugin<InitialContext & { identity: HostIdentity }> = {
      onPluginInit({ setSchema }) {
        replace = setSchema
      },
      onContextBuilding({ context, extendContext }) {
        extendContext({ identity: identityOf(context) })
      },
      onSubscribe({ args }) {
        if (rewriteResult === undefined) return undefined
        const { identity } = args.contextValue as { identity: HostIdentity }
        return {
          onSubscribeResult: () => ({
            onNext({ result, setResult }) {
              const rewritten = rewriteResult(result, identity)
              if (rewritten !== undefined) setResult(rewritten)
            },
          }),
        }
      },
    }
    const getEnveloped = envelop({
      plugins: [
        useEngine(graphql),
        useSchema(schema),
        others,
        ...(persistedOperations === undefined ? [] : [usePersisted(persistedOperations)]),
        ...(maskErrors ? [useMaskedErrors({ maskError: hiding(log) })] : []),
        sluice,
      ],
    })
    const { executor } = sluice
    const host = envelopHost(getEnveloped)

    const app = Fastify({ forceCloseConnections: false })
    const sockets = attachWebSocket({ executor, server: app.server, path: '/graphql', host })
    const events = createSseEndpoint({ executor, host })
    app.post('/graphql/stream', (request, reply) => {
      reply.hijack()
      events.handler(Object.assign(request.raw, { body: request.body }), reply.raw)
    })
    app.post('/graphql', async (request) => {
      const params = request.body as { query: string; variables?: Record<string, unknown> }
      const enveloped = getEnveloped({ req: request.raw, params } as never)
      return enveloped.execute({
        schema: enveloped.schema as GraphQLSchema,
        document: enveloped.parse(params.query) as graphql.DocumentNode,
        variableValues: params.variables ?? null,
        contextValue: await enveloped.contextFactory(),
      }) as Promise<object>
    })
    app.addHook('preClose', async () => {
      await sluice.dispose()
      await Promise.all([sockets.dispose(), events.dispose()])
    })
    await app.listen({ port: 0, host: '127.0.0.1' })
    const address = `127.0.0.1:${(app.server.address() as { port: number }).port}`
    return {
      executor,
      httpServer: app.server,
      wsUrl: `ws://${address}/graphql`,
      sseUrl: `http://${address}/graphql/stream`,
      httpUrl: `http://${address}/graphql`,
      replaceSchema: (next) => replace(next),
      stop: () => app.close(),
    }
  },
}

/** Envelop's own masker forgets where an error was; this one keeps it, and logs. */
function hiding(log: (error: unknown) => void): MaskError {
  return (error, message) => {
    if (error instanceof GraphQLError && !isInternal(error)) return error
    log(error)
    const { path, nodes } = error as Partial<GraphQLError>
    return new GraphQLError(message, { path: path ?? null, nodes: nodes ?? null })
  }
}

function isInternal({ originalError }: GraphQLError): boolean {
  return originalError !== undefined && !(originalError instanceof GraphQLError)
}
