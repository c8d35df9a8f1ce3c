import type { Server } from 'node:http'
import type { SubscriptionExecutor, SubscriptionExecutorOptions } from '@sluice/core'
import type { MetricsOptions } from '@sluice/prometheus'
import { GraphQLError, type GraphQLSchema } from 'graphql'
import type { UserContext } from './users.ts'

/** What a server is set up with: the same for every kind of server. */
export interface ServerSetup {
  readonly schema: GraphQLSchema
  /** For an executor of its own, or one that several servers share. */
  readonly sluice: SubscriptionExecutorOptions<UserContext> | { readonly executor: SubscriptionExecutor }
  /** The application's context function, over every transport. @default who asks */
  readonly context?: ((authorization: string | undefined) => UserContext) | undefined
  /** Hears what the server's own error masking hides. */
  readonly log?: ((error: unknown) => void) | undefined
  /** Off unless given, as in the servers themselves. */
  readonly metrics?: MetricsOptions | undefined
}

/** Where a server is found. */
export interface ServerAddress {
  /** `127.0.0.1:port` */
  readonly address: string
  /** Where subscriptions are asked for over SSE. */
  readonly ssePath: string
}

/** A server on a free port; WebSocket, and POST where it has any, are at `/graphql`. */
export interface TestServer extends ServerAddress {
  readonly executor: SubscriptionExecutor
  readonly httpServer: Server
  /** Stops it as its documentation says. */
  stop(): Promise<void>
}

export type StartServer = (setup: ServerSetup) => Promise<TestServer>

/** What the servers' own masking says in place of an internal error, so that one can tell who masked. */
export const maskedBy = {
  yoga: 'Yoga says nothing',
  apollo: 'Apollo says nothing',
  envelop: 'Envelop says nothing',
} as const

/** Whether an application would keep it to itself: all that it has not made as an answer, however it was wrapped. */
export function isInternal(error: unknown): boolean {
  if (!(error instanceof GraphQLError)) return true
  return error.originalError !== undefined && isInternal(error.originalError)
}
