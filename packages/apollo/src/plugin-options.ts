import type { IncomingMessage, Server as HttpServer } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { ApolloServer, BaseContext } from '@apollo/server'
import {
  type HostExecutorOptions,
  type SluiceContext,
  SluiceError,
  type SubscriptionExecutor,
  type SubscriptionExecutorOptions,
} from '@sluice/core'
import type { MetricsOptions } from '@sluice/prometheus'
import type { SseEndpointOptions } from '@sluice/sse'
import type { AttachWebSocketOptions } from '@sluice/ws'

/** What the context of a subscription, or of any operation over our transports, is made from. */
export interface ContextInput {
  /** Node's request; over WebSocket the one that was upgraded. */
  readonly req: IncomingMessage
  /** The payload of the client's `connection_init`. Over WebSocket only. */
  readonly connectionParams?: Readonly<Record<string, unknown>> | undefined
  readonly transport: 'ws' | 'sse'
}

/** The options of the plugin beside those of the executor. */
export interface ApolloHostOptions<TContext extends BaseContext = BaseContext> {
  /**
   * The context of each operation over WebSocket and SSE; `scope` is asked with it. Give the integration of your HTTP
   * framework the same function, so that `context.sluice` knows who asks there too.
   */
  readonly context: (input: ContextInput) => TContext | Promise<TContext>
  /**
   * Gives the server, which does not exist yet where its plugins are made. With it operations over WebSocket and SSE run
   * through its pipeline (persisted queries, parsing, validation, plugins), and its `formatError` is applied. Without it
   * graphql-js runs them, and internal errors are masked.
   */
  readonly server?: (() => ApolloServer<TContext>) | undefined
  /**
   * The HTTP server on which WebSockets are served, and which is closed when Apollo Server stops: requests under way are
   * answered, WebSockets closed with 1001. Do not use ApolloServerPluginDrainHttpServer beside it.
   */
  readonly httpServer?: HttpServer | HttpsServer | undefined
  /** Where WebSockets are served. @default '/graphql' */
  readonly path?: string | undefined
  /** How long `server.stop()` may wait for clients and for requests under way, in milliseconds. @default 10000 */
  readonly drainTimeoutMs?: number | undefined
  /** Limits of the WebSocket endpoint, and graphql-ws's hooks of the connection. */
  readonly webSocket?: Pick<
    AttachWebSocketOptions,
    'serverOptions' | 'maxPayloadBytes' | 'keepAliveMs' | 'perMessageDeflate'
  >
  /** Limits of the SSE endpoint. */
  readonly sse?: Pick<SseEndpointOptions, 'heartbeatMs' | 'maxBodyBytes' | 'csrfPrevention'>
  /** Where `metricsHandler` takes its metrics from. They are off until that is asked for, or this option is given. */
  readonly metrics?: MetricsOptions | undefined
}

/** The options of {@link ApolloServerPluginSluice}: the executor's, or an executor that several hosts share; and the host's. */
export type ApolloServerPluginSluiceOptions<TContext extends BaseContext = BaseContext> = ApolloHostOptions<TContext> &
  (SubscriptionExecutorOptions<TContext & SluiceContext> | { readonly executor: SubscriptionExecutor })

/** Tells the options of the host from those of the executor. @throws SluiceError BAD_CONFIG, naming the option */
export function splitOptions<TContext extends BaseContext>(
  options: ApolloServerPluginSluiceOptions<TContext>,
): readonly [ApolloHostOptions<TContext>, HostExecutorOptions<TContext & SluiceContext>] {
  if (typeof options !== 'object' || options === null) {
    throw new SluiceError('BAD_CONFIG', '[ApolloServerPluginSluice] the options have to be an object.')
  }
  const { context, server, httpServer, path, drainTimeoutMs, webSocket, sse, metrics, ...executorOptions } = options
  if (typeof context !== 'function') fail('context', 'has to be a function of { req, connectionParams, transport }')
  if (server !== undefined && typeof server !== 'function') fail('server', 'has to be a function: () => server')
  if (path !== undefined && httpServer === undefined) fail('path', 'needs the option "httpServer"')
  if (webSocket !== undefined && httpServer === undefined) fail('webSocket', 'needs the option "httpServer"')
  if (drainTimeoutMs !== undefined && !(drainTimeoutMs >= 0 && drainTimeoutMs <= 2_147_483_647))
    fail('drainTimeoutMs', 'has to be a number of milliseconds')
  return [
    { context, server, httpServer, path, drainTimeoutMs, webSocket, sse, metrics } as ApolloHostOptions<TContext>,
    executorOptions,
  ]
}

function fail(option: string, what: string): never {
  throw new SluiceError('BAD_CONFIG', `[ApolloServerPluginSluice] the option "${option}" ${what}.`)
}
