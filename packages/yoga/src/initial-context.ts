import type { IncomingMessage } from 'node:http'
import type { HostExecutorOptions, RegisteredContext } from '@sluice/core'
import type { YogaInitialContext } from 'graphql-yoga'
import type { WebSocket } from 'ws'
import type { YogaMetricsOptions } from './metrics-endpoint.ts'

/** What is known of an operation before the application's context is built, over any transport. */
export interface SluiceInitialContext extends YogaInitialContext {
  /** The payload of the client's `connection_init`. Over WebSocket only. */
  readonly connectionParams?: Readonly<Record<string, unknown>> | undefined
  /** Node's request; over WebSocket the one that was upgraded. Not there if Yoga runs on something else than Node. */
  readonly req?: IncomingMessage | undefined
  /** Over WebSocket only. */
  readonly socket?: WebSocket | undefined
}

/** What `scope` is called with: {@link SluiceInitialContext}, and the application's context if it is registered. */
// oxlint-disable-next-line typescript/no-redundant-type-constituents -- it is unknown here, not where one is registered
export type YogaContext = SluiceInitialContext & RegisteredContext<unknown>

/** The executor's options, or an executor that several hosts share; and its metrics. */
export type UseSluiceOptions<TContext = YogaContext> = HostExecutorOptions<TContext> & {
  /**
   * Collects the executor's metrics in a registry of prom-client, which has to be installed, and serves that registry.
   * `@graphql-yoga/plugin-prometheus` may have the same one.
   * @default none are collected
   */
  readonly metrics?: YogaMetricsOptions | undefined
}
