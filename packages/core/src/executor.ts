import type { ExecutionArgs, ExecutionResult, GraphQLSchema } from 'graphql'
import { toBusEvent } from './bus/bus-event.ts'
import type { PublishReceipt } from './bus/event-bus.ts'
import { memoryBus } from './bus/memory-bus.ts'
import { refusedByBus } from './bus/refused-by-bus.ts'
import { checkSchema } from './channel/check-schema.ts'
import { markExecutedBySluice } from './channel/executed-schemas.ts'
import { internalErrorMasker } from './delivery/internal-error-masker.ts'
import type { OverflowOptions } from './delivery/overflow.ts'
import type { ResponseStream } from './delivery/response-stream.ts'
import { Counters } from './counters.ts'
import { createErrorReporter } from './error-reporter.ts'
import { SluiceError, type SluiceErrorCode } from './errors.ts'
import { composeObservers, type ExecutorObserver } from './executor-observer.ts'
import type { MetricsSnapshot } from './metrics.ts'
import { resolveOptions, type SubscriptionExecutorOptions } from './options.ts'
import type { RegisteredContext } from './register.ts'
import { Router } from './routing/router.ts'
import { createPublisher, type EventInput, type ScopedPublisher } from './scope/publisher.ts'
import { publisherForResolvers } from './scope/publisher-for-resolvers.ts'
import type { Scope } from './scope/scope.ts'
import { Groups } from './subscription/groups.ts'
import type { Registration } from './subscription/registration.ts'
import { type RegisterRequest, Registry, type SubscriptionAddress } from './subscription/registry.ts'
import { Scheduler } from './subscription/scheduler.ts'
import type { SourceResponseStream } from './subscription/source-response-stream.ts'
import { subscribe } from './subscription/subscribe.ts'
import type { SubscribeOptions } from './subscription/subscription-services.ts'
import { SubscriptionSet } from './subscription/subscription-set.ts'
import { withTimeLimit } from './time-limit.ts'

/** Executes subscriptions. Made by {@link createSubscriptionExecutor}. */
export interface SubscriptionExecutor extends AsyncDisposable {
  /**
   * A drop-in for graphql's `subscribe`: a response stream, or `{ errors }`. It never rejects.
   *
   * The document has to be validated, as for graphql's `subscribe`. When it resolves, the bus has acknowledged
   * the channels: everything published from then on arrives.
   */
  subscribe(args: ExecutionArgs, options?: SubscribeOptions): Promise<ResponseStream | ExecutionResult>

  /**
   * Resolves when the bus has accepted the event; when much is published at once in this process, also not
   * before its subscriptions had time to follow.
   *
   * @throws SluiceError BAD_EVENT, EVENT_TOO_LARGE, BUS_UNAVAILABLE, BUS_OUTCOME_UNKNOWN, BUS_CLOSED
   */
  publish<TChannel extends string, TType extends string>(event: EventInput<TChannel, TType>): Promise<PublishReceipt>

  /** A publisher that cannot leave its tenant. A function is asked for the scope on the first publish. */
  publisher(scope: Scope | (() => unknown)): ScopedPublisher

  /**
   * The publisher of whoever has this context, for resolvers: it asks the option `scope`, when it is first used.
   * UNAUTHENTICATED, EXPIRED and FORBIDDEN are GraphQLErrors, which a client may see.
   */
  publisherFor(context: unknown): ScopedPublisher

  /**
   * Starts a subscription for a host that has a transport of its own. Its messages are taken with `nextMessage`,
   * or by iterating the registration.
   *
   * @throws SluiceError BAD_SUBSCRIPTION (with the GraphQL errors as `errors`), SUBSCRIPTION_EXISTS,
   * UNAUTHENTICATED, BAD_CONFIG, BUS_UNAVAILABLE, DRAINING
   */
  register(request: RegisterRequest): Promise<Registration>

  /**
   * The next message of a registered subscription, as graphql-transport-ws sends it, or `null` if there is none
   * yet. It never blocks. After the subscription ended by itself its `complete` or `error` message comes once.
   *
   * @throws SluiceError SUBSCRIPTION_NOT_FOUND
   * @see https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md#next
   */
  nextMessage(address: SubscriptionAddress): Uint8Array | null

  /** Ends a registered subscription and forgets it. @throws SluiceError SUBSCRIPTION_NOT_FOUND */
  complete(address: SubscriptionAddress): Promise<void>

  /** Ends all registered subscriptions of a connection. */
  completeConnection(connectionId: string): Promise<void>

  /** What was counted so far, and what is held now. */
  metrics(): MetricsSnapshot

  /**
   * Has the observer told of every execution, encoding and delivery from now on; several can be. What is in
   * {@link metrics} it is not told.
   *
   * @returns what stops it; may be called again
   */
  observe(observer: ExecutorObserver): () => void

  /** New subscriptions are refused, what was published is delivered, and the streams end with `complete`. */
  drain(options?: { readonly timeoutMs?: number }): Promise<void>

  /** Drains, and closes the bus. Idempotent. */
  dispose(): Promise<void>

  /**
   * For hosts: the schema, when it is known and whenever it changes.
   *
   * @throws SluiceError BAD_CONFIG if a field of it needs an option that is missing.
   */
  setSchema(schema: GraphQLSchema): void

  /** For transports: a connection opened; the returned function says that it closed. */
  openConnection(): () => void

  /** For transports: what may wait for one subscription or socket. */
  readonly overflow: OverflowOptions

  /** For hosts and transports: an error that has no caller. Never throws. */
  reportError(error: unknown): void

  /** For transports: a reader was so slow that what it had subscribed to was ended. */
  recordSlowConsumer(): void

  /** For transports: a subscription was refused before the executor was asked. */
  recordRefusal(code: SluiceErrorCode): void

  /** For transports: responses that were dropped instead of delivered. */
  recordDropped(count: number): void
}

/**
 * The executor of a server's subscriptions: scoped by tenant and user, executed once and encoded once for all
 * who may share it.
 *
 * @throws SluiceError BAD_CONFIG, naming the option that is wrong.
 * @example
 * ```ts
 * const executor = createSubscriptionExecutor({ schema, scope: (context) => context.user })
 * const stream = await executor.subscribe({ schema, document, contextValue })
 * await executor.publish({ tenantId: 'acme', channel: 'orders', type: 'created', data: { id: 1 } })
 * ```
 */
export function createSubscriptionExecutor<TContext = RegisteredContext>(
  options: SubscriptionExecutorOptions<TContext> = {},
): SubscriptionExecutor {
  const resolved = resolveOptions(options)
  const counters = new Counters()
  const report = createErrorReporter(options.onError, options.logger ?? console, counters)
  const bus = options.bus ?? memoryBus()
  const stopObserving = bus.observe({ onError: report })
  const scheduler = new Scheduler(resolved.maxConcurrentExecutions, () => counters.subscriptionsByTenant.size > 1)
  const router = new Router(bus, { counters, report, scheduler }, resolved.subscribeTimeoutMs)
  const groups = new Groups({
    scheduler,
    counters,
    report,
    maxPendingEvents: resolved.maxPendingEvents,
    overflowPolicy: resolved.overflow.policy,
  })
  const observers = new Set<ExecutorObserver>()
  const sources = new SubscriptionSet<SourceResponseStream>()
  let schema: GraphQLSchema | undefined
  let draining: Promise<void> | undefined
  let disposing: Promise<void> | undefined

  const services = {
    options: resolved,
    executionTimeoutMs: resolved.executionTimeoutMs,
    counters,
    report,
    router,
    groups,
    scheduler,
    sources,
    isDraining: () => draining !== undefined,
  }
  const registry = new Registry({
    counters,
    report,
    overflow: resolved.overflow,
    schema: () => schema,
    masker: () => internalErrorMasker(executor),
    subscribe: (args, how) => subscribe(args, how, services),
  })

  const publish = async (event: EventInput): Promise<PublishReceipt> => {
    if (disposing !== undefined) throw new SluiceError('BUS_CLOSED', 'The executor was disposed of.')
    try {
      const receipt = await bus.publish(toBusEvent(event))
      counters.published += 1
      const pace = scheduler.keepPace()
      if (pace !== undefined) await pace
      return receipt
    } catch (refusal) {
      const error = refusedByBus(refusal)
      counters.countError(error instanceof SluiceError ? error.code : 'UNKNOWN')
      throw error
    }
  }

  const publishing = { publish, counters, timeoutMs: resolved.subscribeTimeoutMs }

  const setSchema = (next: GraphQLSchema): void => {
    checkSchema(next, resolved)
    markExecutedBySluice(next)
    const changed = schema !== undefined && schema !== next
    schema = next
    if (!changed || resolved.onSchemaChange === 'keep') return
    groups.endOtherSchemas(next)
    sources.endAll((source) => source.schema !== next)
  }

  const endAll = async (timeoutMs: number) => {
    await withTimeLimit(scheduler.idle(), timeoutMs, () => undefined)
    groups.endAll()
    sources.endAll()
  }

  const drain = ({ timeoutMs = 5000 }: { readonly timeoutMs?: number } = {}): Promise<void> => {
    draining ??= endAll(timeoutMs)
    return draining
  }

  const close = async () => {
    await drain()
    registry.clear()
    await router.closed()
    await bus.close()
    stopObserving()
  }

  const executor: SubscriptionExecutor = {
    subscribe: (args, how = {}) => subscribe(args, how, services),
    publish,
    publisher: (scope) => createPublisher(scope, publishing),
    publisherFor: (context) => publisherForResolvers(createPublisher(() => resolved.scope?.(context), publishing)),
    register: (request) => registry.register(request),
    nextMessage: (address) => registry.nextMessage(address),
    complete: async (address) => registry.complete(address),
    completeConnection: async (connectionId) => registry.completeConnection(connectionId),
    metrics: () => counters.snapshot({ name: bus.name, status: bus.status() }),
    observe: (observer) => {
      observers.add(observer)
      counters.observer = composeObservers([...observers], report)
      return () => {
        observers.delete(observer)
        counters.observer = composeObservers([...observers], report)
      }
    },
    drain,
    dispose: () => {
      disposing ??= close()
      return disposing
    },
    [Symbol.asyncDispose]: () => executor.dispose(),
    setSchema,
    openConnection: () => counters.openConnection(),
    overflow: resolved.overflow,
    reportError: report,
    recordSlowConsumer: () => counters.countError('SLOW_CONSUMER'),
    recordRefusal: (code) => counters.countRefusal(code),
    recordDropped: (count) => {
      counters.dropped += count
    },
  }
  if (options.schema !== undefined) setSchema(options.schema)
  return executor
}
