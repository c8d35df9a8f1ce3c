import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ApolloServer, ApolloServerPlugin, BaseContext, GraphQLServerListener } from '@apollo/server'
import { executorOf, type SluiceContext, SluiceError, type SubscriptionExecutor, SubscriptionSet } from '@sluice/core'
import { collectMetrics, type ExecutorMetrics, metricsHandler } from '@sluice/prometheus'
import { createSseEndpoint, type SseRequest } from '@sluice/sse'
import { type AttachedWebSocket, attachWebSocket } from '@sluice/ws'
import type { GraphQLSchema } from 'graphql'
import { drainOf } from './drain-http-server.ts'
import { lateLogger } from './late-logger.ts'
import { operationHost } from './operation-host.ts'
import { type ApolloServerPluginSluiceOptions, splitOptions } from './plugin-options.ts'
import { refuseOthers, takeSubscriptionsOut } from './prepared-subscription.ts'
import { internalsOf } from './server-internals.ts'
import { setFieldResolver } from './set-field-resolver.ts'

/** An Apollo Server plugin that executes subscriptions with Sluice, over WebSocket and SSE. */
export interface SluiceApolloPlugin<TContext extends BaseContext = BaseContext> extends ApolloServerPlugin<TContext> {
  readonly executor: SubscriptionExecutor
  /**
   * Serves operations as server-sent events: a plain `(request, response)` function for Express, `node:http` or Fastify's
   * raw objects. It answers any path that it is given.
   */
  readonly sseHandler: (request: SseRequest, response: ServerResponse) => void
  /**
   * Serves the executor's metrics as Prometheus text, and is a plain `(request, response)` function too. Metrics are
   * collected from the moment when it is first asked for.
   *
   * @throws SluiceError BAD_CONFIG if `prom-client` is not installed
   */
  readonly metricsHandler: (request: IncomingMessage, response: ServerResponse) => void
}

/**
 * Takes over the subscriptions of an Apollo Server: scoped by tenant and user, executed once per group of identical
 * subscriptions, serialised once. Operations over WebSocket and SSE run through Apollo Server's own pipeline.
 *
 * Resolvers have `context.sluice`, the publisher of whoever asks (`SluiceContext`). `server.stop()` ends the subscriptions
 * with `complete`, closes the sockets with 1001 and the HTTP server when its requests are answered; an executor that the
 * plugin made is disposed of, and its bus closed.
 *
 * @example
 * ```ts
 * const sluice = ApolloServerPluginSluice({ httpServer, context, scope: ({ user }) => user, server: () => server })
 * const server = new ApolloServer({ schema, plugins: [sluice] })
 * await server.start()
 * app.use('/graphql/stream', sluice.sseHandler)
 * app.use('/graphql', express.json(), expressMiddleware(server, { context }))
 * ```
 *
 * @throws SluiceError BAD_CONFIG, naming the option
 */
export function ApolloServerPluginSluice<TContext extends BaseContext>(
  options: ApolloServerPluginSluiceOptions<TContext>,
): SluiceApolloPlugin<TContext> {
  const [hostOptions, executorOptions] = splitOptions(options)
  const {
    context,
    server,
    httpServer,
    path = '/graphql',
    drainTimeoutMs = 10_000,
    webSocket,
    sse,
    metrics,
  } = hostOptions
  const logger = lateLogger()
  const { executor, owned } = executorOf<TContext & SluiceContext>(
    'ApolloServerPluginSluice',
    'executor' in executorOptions ? executorOptions : { logger, ...executorOptions },
  )
  const running = new SubscriptionSet()
  let schema: GraphQLSchema | undefined
  let started = false

  const host = operationHost({ executor, running, context, server, schema: () => schema ?? notStarted() })
  // Its share of the time in which the server has to stop: first the executor is drained, then its sockets in two steps.
  const closeTimeoutMs = drainTimeoutMs / 4
  const events = createSseEndpoint({ ...sse, executor, host, closeTimeoutMs })
  let collected: ExecutorMetrics | undefined
  const collect = (): ExecutorMetrics => {
    collected ??= collectMetrics(executor, metrics)
    return collected
  }
  if (metrics !== undefined) collect()

  const internals = (): ReturnType<typeof internalsOf> =>
    server && internalsOf(server() as unknown as ApolloServer<never>)
  const takeSchema = (next: GraphQLSchema): void => {
    const fieldResolver = internals()?.fieldResolver
    if (fieldResolver !== undefined) setFieldResolver(next, fieldResolver)
    executor.setSchema(next)
    schema = next
  }
  /** Asked after every plugin that the application has listed, wherever this one stands in the list. */
  const last: ApolloServerPlugin = { requestDidStart: async () => takeSubscriptionsOut }
  let isLastAdded = false

  const listen = (): GraphQLServerListener => {
    const sockets: AttachedWebSocket | undefined =
      httpServer && attachWebSocket({ ...webSocket, executor, server: httpServer, path, host, closeTimeoutMs })
    const httpDrain = httpServer && drainOf(httpServer)
    return {
      schemaDidLoadOrUpdate({ apiSchema }) {
        try {
          takeSchema(apiSchema)
        } catch (error) {
          // A mistake in the first schema keeps the server from starting; one in a later schema must not stop it.
          if (!started) throw error
          executor.reportError(error)
        }
        started = true
      },

      async drainServer() {
        httpDrain?.stopListening()
        // An executor of our own delivers first what was published; a shared one has others to serve.
        if (owned) await executor.drain({ timeoutMs: closeTimeoutMs })
        running.endAll()
        await Promise.all([sockets?.dispose(), events.dispose()])
        await httpDrain?.closed(closeTimeoutMs)
      },

      async serverWillStop() {
        collected?.stop()
        if (owned) await executor.dispose()
      },
    }
  }

  return {
    executor,
    sseHandler: events.handler,
    get metricsHandler() {
      return metricsHandler(collect(), executor.reportError)
    },

    async serverWillStart({ logger: apolloLogger }) {
      if (started) {
        throw new SluiceError(
          'BAD_CONFIG',
          '[ApolloServerPluginSluice] one plugin serves one ApolloServer; make one with { executor } for each that shares an executor.',
        )
      }
      logger.writeTo(apolloLogger)
      const plugins = internals()?.plugins
      isLastAdded = plugins !== undefined
      plugins?.push(last)
      return listen()
    },

    async requestDidStart(requestContext) {
      const { contextValue } = requestContext
      Object.assign(contextValue, { sluice: executor.publisherFor(contextValue) } satisfies SluiceContext)
      return isLastAdded ? refuseOthers : { ...refuseOthers, ...takeSubscriptionsOut }
    },
  }
}

function notStarted(): never {
  throw new SluiceError(
    'BAD_CONFIG',
    '[ApolloServerPluginSluice] the ApolloServer has not been started, or this plugin is not among its plugins.',
  )
}
