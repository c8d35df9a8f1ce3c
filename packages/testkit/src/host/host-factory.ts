import type { Server } from 'node:http'
import type { ScopedPublisher, Scope, SubscriptionExecutor, SubscriptionExecutorOptions } from '@sluice/core'
import type { ExecutionResult, GraphQLSchema } from 'graphql'

/** What a client sent of itself, as the host received it. Nothing of it has been verified. */
export interface HostIdentity {
  /** The `authorization` header of the HTTP request: of the upgrade for WebSocket, of the POST for SSE. */
  readonly authorization: string | undefined
  /** The payload of `connection_init`. Only over WebSocket. */
  readonly connectionParams: Readonly<Record<string, unknown>> | undefined
}

/** What the suite's resolvers expect to find in the host's context, for every kind of operation. */
export interface HostContractContext {
  readonly identity: HostIdentity
  /** The publisher of whoever asks, as `context.sluice` is in every host. */
  readonly sluice: ScopedPublisher
}

/**
 * Sees, and may change, the result for one subscriber: changes it in place, or gives another one. The identity
 * is that subscriber's.
 */
export type ResultRewriter = (result: ExecutionResult, identity: HostIdentity) => ExecutionResult | undefined

/** What a host is to be set up with: the same for every host. */
export interface HostSetup {
  readonly schema: GraphQLSchema
  /** For the executor, beside what the factory adds: `scope`, made of the function below. */
  readonly executorOptions: Omit<SubscriptionExecutorOptions, 'schema' | 'scope'>
  /** The factory finds the identity in its host's context and makes the option `scope` of it. */
  readonly scope: (identity: HostIdentity) => Scope | null
  /** Whether the host's own error masking is to be on. Without one, see {@link HostFeatures.maskedErrors}. */
  readonly maskErrors: boolean
  /** To be called by a plugin or hook of the host, for every result of a subscription and every subscriber. */
  readonly rewriteResult?: ResultRewriter | undefined
  /**
   * Documents by SHA-256, for requests with `extensions.persistedQuery.sha256Hash` and an empty `query`. Unknown
   * hashes are to be refused with a GraphQL error.
   */
  readonly persistedOperations?: ReadonlyMap<string, string> | undefined
  /** To be given each error that the host logs by itself, such as those that it masks. */
  readonly log: (error: unknown) => void
}

/** A host that serves the setup, on a free port of 127.0.0.1. */
export interface RunningHost {
  readonly executor: SubscriptionExecutor
  readonly httpServer: Server
  readonly wsUrl: string
  /** Where subscriptions are asked for over SSE; `undefined` if the host has none. */
  readonly sseUrl: string | undefined
  /** Where queries and mutations are POSTed; `undefined` if the host serves only sockets. */
  readonly httpUrl: string | undefined
  /** Serves another schema from now on, in the way that the host has for it. */
  replaceSchema(schema: GraphQLSchema): Promise<void> | void
  /**
   * Stops everything, as the host's documentation says: subscriptions end with `complete`, sockets are closed
   * with 1001, and the HTTP server is closed. It is called once.
   */
  stop(): Promise<void>
}

/** What a host can do. What it cannot is not skipped: the suite then asserts what it does instead. */
export interface HostFeatures {
  /** Subscriptions over GraphQL-over-SSE, in distinct connections mode. Without: such requests are refused. */
  readonly sse: boolean
  /**
   * What becomes of a resolver's internal errors when masking is on. `'perGroup'`: the host's masker is applied,
   * and logs, once per error and group. `'perSubscriber'`: once for each subscriber. `'none'`: the host has no
   * masking, and clients see messages as with graphql-js.
   */
  readonly maskedErrors: 'perGroup' | 'perSubscriber' | 'none'
  /** `rewriteResult` can be wired up. Without: every subscriber of a group gets the same bytes. */
  readonly resultHooks: boolean
  /** `persistedOperations` can be wired up. Without: such requests are refused with GraphQL errors. */
  readonly persistedOperations: boolean
}

/** How the suite gets a host. */
export interface HostFactory {
  readonly features: HostFeatures
  /** Starts a host of its own; the suite stops it. */
  start(setup: HostSetup): Promise<RunningHost>
}
