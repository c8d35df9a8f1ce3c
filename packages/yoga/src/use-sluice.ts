import type { Server as HttpServer } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import { executorOf, type SluiceContext, SluiceError, type SubscriptionExecutor } from '@sluice/core'
import { hostSubscriptions } from '@sluice/envelop'
import { type AttachedWebSocket, attachWebSocket } from '@sluice/ws'
import type { Plugin } from 'graphql-yoga'
import { directStreams } from './direct-streams.ts'
import { maskerOf } from './error-masking.ts'
import { httpStreams } from './http-streams.ts'
import { metricsEndpoint } from './metrics-endpoint.ts'
import type { UseSluiceOptions, YogaContext } from './initial-context.ts'
import { type AttachWebSocketOptions, operationHost } from './operation-host.ts'
import { RequestLifetimes } from './request-lifetimes.ts'
import { sseResponses } from './sse-responses.ts'
import type { AnyYogaServer } from './yoga-server.ts'

/** A Yoga plugin that executes subscriptions with Sluice, over WebSocket and SSE. */
export interface SluiceYogaPlugin extends Plugin<SluiceContext> {
  readonly executor: SubscriptionExecutor
  /**
   * Serves GraphQL over WebSocket on the HTTP server, at Yoga's endpoint. Operations run through Yoga's own
   * pipeline. Returns what ends it: subscriptions with `complete`, sockets with 1001. `yoga.dispose()` does it too.
   *
   * @throws SluiceError BAD_CONFIG before `createYoga`, or naming a wrong option
   */
  attachWebSocket(server: HttpServer | HttpsServer, options?: AttachWebSocketOptions): () => Promise<void>
}

/**
 * Takes over the execution of subscriptions in a Yoga server: scoped by tenant and user, executed once per group
 * of identical subscriptions, serialised once. Put it after plugins that set an engine.
 *
 * Gives resolvers `context.sluice`, the publisher of whoever asks. They see its type if the schema's context has
 * it: `createSchema<SluiceContext & AppContext>(…)`, or that type as codegen's `contextType`. `scope` is given what
 * Yoga knows of the operation, a `SluiceInitialContext`, over HTTP and WebSocket alike.
 *
 * `yoga.dispose()` ends the subscriptions with `complete`; an executor that the plugin made is disposed of, and its
 * bus closed.
 *
 * @example
 * ```ts
 * const sluice = useSluice({ scope: ({ request }) => verify(request.headers.get('authorization')) })
 * const yoga = createYoga({ schema, plugins: [sluice] })
 * const server = createServer(yoga)
 * sluice.attachWebSocket(server)
 * ```
 *
 * @throws SluiceError BAD_CONFIG, naming the option
 */
export function useSluice<TContext = YogaContext>(options: UseSluiceOptions<TContext>): SluiceYogaPlugin {
  const { metrics: metricsOptions, ...executorOptions } = { ...options }
  const { executor, owned } = executorOf<TContext>('useSluice', options && executorOptions)
  const subscriptions = hostSubscriptions(executor)
  const lifetimes = new RequestLifetimes((error) => executor.reportError(error))
  const sse = sseResponses(executor, lifetimes)
  const metrics = metricsOptions && metricsEndpoint(executor, metricsOptions)
  const attached = new Set<AttachedWebSocket>()
  let yoga: AnyYogaServer | undefined

  return {
    // Yoga's plugins are Envelop's, with a context that has more in it.
    ...(subscriptions.plugin as unknown as Plugin<SluiceContext>),
    onParams: directStreams(subscriptions, () => yoga),
    onResultProcess: sse.onResultProcess,
    ...(metrics && { onRequest: metrics.onRequest }),
    executor,

    onPluginInit(init) {
      subscriptions.plugin.onPluginInit?.(init as never)
      init.addPlugin(httpStreams(lifetimes) as unknown as Plugin<SluiceContext>)
    },

    onYogaInit(init) {
      if (yoga !== undefined) {
        throw new SluiceError(
          'BAD_CONFIG',
          '[useSluice] one plugin serves one Yoga; call useSluice({ executor }) for each that shares an executor.',
        )
      }
      yoga = init.yoga as unknown as AnyYogaServer
      const mask = maskerOf(yoga)
      if (mask !== undefined) subscriptions.setMasker(mask)
    },

    attachWebSocket(server, socketOptions = {}) {
      if (yoga === undefined) {
        throw new SluiceError(
          'BAD_CONFIG',
          '[useSluice] attachWebSocket was called before createYoga({ plugins: [sluice] }).',
        )
      }
      const { path = yoga.graphqlEndpoint, ...others } = socketOptions
      const host = operationHost(yoga, executor)
      const endpoint = attachWebSocket({ ...others, executor, server, path, host })
      attached.add(endpoint)
      return async () => {
        await endpoint.dispose()
        attached.delete(endpoint)
      }
    },

    async onDispose() {
      // An executor of our own delivers first what was published; a shared one has others to serve.
      if (owned) await executor.drain()
      subscriptions.endAll()
      // What still waited in the streams goes through Yoga's hooks to the sockets before they take leave.
      await new Promise((resolve) => setImmediate(resolve))
      await Promise.all([...[...attached].map((endpoint) => endpoint.dispose()), sse.finished()])
      metrics?.stop()
      if (owned) await executor.dispose()
    },
  }
}
