import { createServer } from 'node:http'
import { createSubscriptionExecutor } from '@sluice/core'
import { closeServer, type HostFactory, type HostIdentity, hostContract, listen } from '@sluice/testkit'
import { GraphQLError, parse, validate } from 'graphql'
import type { Context, ServerOptions } from 'graphql-ws'
import { type Extra, useServer } from 'graphql-ws/use/ws'
import { WebSocketServer } from 'ws'
import { sluiceServerOptions } from '../sluice-server-options.ts'

type ConnectionParams = Record<string, unknown> | undefined

function identityOf({ connectionParams, extra }: Context<ConnectionParams, Extra>): HostIdentity {
  return { authorization: extra.request.headers.authorization, connectionParams }
}

/** graphql-ws as its documentation sets it up, with our options. */
const graphqlWs: HostFactory = {
  // It has no masking, and everything else can be done with its hooks.
  features: { sse: false, maskedErrors: 'none', resultHooks: true, persistedOperations: true },

  async start({ schema, scope, executorOptions, rewriteResult, persistedOperations }) {
    let current = schema
    const executor = createSubscriptionExecutor({
      ...executorOptions,
      schema,
      scope: ({ identity }: { identity: HostIdentity }) => scope(identity),
    })
    const options: ServerOptions<ConnectionParams, Extra> = {
      schema: () => current,
      context: (ctx) => {
        const context = { identity: identityOf(ctx) }
        return { ...context, sluice: executor.publisherFor(context) }
      },
    }
    if (rewriteResult !== undefined) {
      options.onNext = (ctx, _id, _payload, _args, result) => rewriteResult(result as never, identityOf(ctx)) as never
    }
    if (persistedOperations !== undefined) {
      options.onSubscribe = (_ctx, _id, { variables, operationName, extensions }) => {
        const persisted = extensions?.['persistedQuery'] as { sha256Hash: string } | undefined
        if (persisted === undefined) return undefined
        const text = persistedOperations.get(persisted.sha256Hash)
        if (text === undefined) return [new GraphQLError('PersistedQueryNotFound')]
        const document = parse(text)
        const errors = validate(current, document)
        return errors.length > 0 ? errors : { schema: current, document, variableValues: variables, operationName }
      }
    }

    const webSocketServer = new WebSocketServer({ noServer: true })
    const httpServer = createServer((_request, response) => response.writeHead(404).end())
    httpServer.on('upgrade', (request, socket, head) => {
      if (request.url !== '/graphql') return
      webSocketServer.handleUpgrade(request, socket, head, (client) =>
        webSocketServer.emit('connection', client, request),
      )
    })
    const served = useServer(sluiceServerOptions(executor, options), webSocketServer)
    const address = await listen(httpServer)
    return {
      executor,
      httpServer,
      wsUrl: `ws://${address}/graphql`,
      sseUrl: undefined,
      httpUrl: undefined,
      replaceSchema(next) {
        current = next
        executor.setSchema(next)
      },
      async stop() {
        await executor.dispose()
        await served.dispose()
        await closeServer(httpServer)
      },
    }
  },
}

hostContract('graphql-ws by hand', graphqlWs)
