import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import {
  createSubscriptionExecutor,
  isAsyncIterable,
  isRefusal,
  type OperationHost,
  type OperationParams,
  releaseStream,
  schemaHost,
  type SubscriptionExecutor,
  type TransportOperation,
} from '@sluice/core'
import { closeServer, type HostFactory, type HostFeatures, type HostIdentity, listen } from '@sluice/testkit'
import { attachWebSocket } from '@sluice/ws'
import { GraphQLError } from 'graphql'
import { createSseEndpoint } from '../sse-endpoint.ts'

/**
 * No server but Node's own: `node:http` with an endpoint for sockets, one for event streams, and a few lines for queries and
 * mutations, all three on one `OperationHost`.
 *
 * @param isMasked whether it has core's error masking, which logs to `onError`
 */
export function nodeHost(isMasked: boolean): HostFactory {
  const features: HostFeatures = {
    sse: true,
    maskedErrors: isMasked ? 'perGroup' : 'none',
    resultHooks: false,
    persistedOperations: true,
  }
  return {
    features,
    async start({ schema, scope, executorOptions, maskErrors, persistedOperations, log }) {
      let current = schema
      const executor = createSubscriptionExecutor({
        ...executorOptions,
        schema,
        scope: ({ identity }: { identity: HostIdentity }) => scope(identity),
        onError(error) {
          if (isMasked) log(error)
          return executorOptions.onError?.(error)
        },
      })
      const host = persisted(
        schemaHost({
          executor,
          schema: () => current,
          maskErrors: isMasked && maskErrors,
          context({ req, connectionParams }) {
            const identity: HostIdentity = { authorization: req.headers.authorization, connectionParams }
            return { identity, sluice: executor.publisherFor({ identity }) }
          },
        }),
        persistedOperations,
      )
      const sse = createSseEndpoint({ executor, host })
      const httpServer = createServer((request, response) => {
        if (request.url === '/graphql/stream') sse.handler(request, response)
        else void answer(request, response, host, executor)
      })
      const sockets = attachWebSocket({ executor, server: httpServer, path: '/graphql', host })
      const address = await listen(httpServer)
      return {
        executor,
        httpServer,
        wsUrl: `ws://${address}/graphql`,
        sseUrl: `http://${address}/graphql/stream`,
        httpUrl: `http://${address}/graphql`,
        replaceSchema(next) {
          current = next
          executor.setSchema(next)
        },
        async stop() {
          await Promise.all([sse.dispose(), sockets.dispose()])
          await executor.dispose()
          await closeServer(httpServer)
        },
      }
    },
  }
}

/** Queries and mutations over POST, for who trusts their own client: it is no example to follow. */
async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  host: OperationHost,
  executor: SubscriptionExecutor,
): Promise<void> {
  const params = (await json(request)) as OperationParams
  // No transport of its own: what the operation says of it nobody here reads.
  const result = await host.runOperation({ transport: 'sse', params, req: request, isReadOnly: false })
  if (isAsyncIterable(result)) {
    await releaseStream(result, executor)
    response.writeHead(406).end()
    return
  }
  const plain = isRefusal(result) ? { errors: result } : result
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify(host.sanitizeResult?.(plain) ?? plain))
}

/** The host with documents that clients know by their hash. */
function persisted(host: OperationHost, operations: ReadonlyMap<string, string> | undefined): OperationHost {
  if (operations === undefined) return host
  return {
    ...host,
    runOperation(operation: TransportOperation) {
      const named = operation.params.extensions?.['persistedQuery'] as { sha256Hash?: unknown } | undefined
      if (named === undefined) return host.runOperation(operation)
      const query = operations.get(String(named.sha256Hash))
      if (query === undefined) return [new GraphQLError('PersistedQueryNotFound')]
      return host.runOperation({ ...operation, params: { ...operation.params, query } })
    },
  }
}
