import type { ExecutionArgs, ExecutionResult, GraphQLSchema } from 'graphql'
import { GraphQLSchema as GraphQLSchemaClass } from 'graphql'
import * as v from 'valibot'
import type { EventBus } from './bus/event-bus.ts'
import type { PublishedEvent } from './bus/published-event.ts'
import { checkOptions, functionSchema } from './check-options.ts'
import type { GapPolicy } from './channel/channel-source.ts'
import type { OverflowOptions } from './delivery/overflow.ts'
import type { Logger } from './logger.ts'
import type { MaybePromise } from './maybe-promise.ts'
import type { RegisteredContext, Untyped } from './register.ts'
import type { Scope, ScopeClaims } from './scope/scope.ts'

/** What `eventContext` is given to build the context of one event's execution from. */
export interface EventContextInput<TContext = RegisteredContext> {
  /**
   * What all subscriptions of the execution have in common: the whole scope for `share: 'subscriber'`, the
   * scope but `expiresAt` for `'user'`, `{ tenantId }` for `'tenant'`, `{ tenantId, partition }` for a function.
   */
  readonly scope: Scope & { readonly partition?: string }
  /** The event. Of a source that is not a channel, only `data` is known. */
  readonly event: PublishedEvent
  /** The subscriber's own context. Only for `share: 'subscriber'`: nothing of one subscriber reaches another. */
  readonly initialContext?: TContext
}

/** The options of {@link createSubscriptionExecutor}. `TContext` is what the host calls a subscription's context. */
export interface SubscriptionExecutorOptions<TContext = RegisteredContext> {
  /** The schema of `register`. Inside a host it comes from the host. */
  readonly schema?: GraphQLSchema | undefined
  /** What carries the events. The executor closes it on `dispose()`. @default memoryBus() */
  readonly bus?: EventBus | undefined
  /**
   * Who is it? Called once per subscription with the host's context. `null`, a throw, a rejection, an answer
   * that takes longer than `subscribeTimeoutMs`, or a scope without a tenant refuse the subscription with
   * UNAUTHENTICATED. Without this option `subscribe` refuses everybody; `register` is told the scope.
   */
  readonly scope?: ((context: TContext) => MaybePromise<Scope | ScopeClaims | null | undefined>) | undefined
  /**
   * The context of one event's execution. Called once per event and partition. Needed as soon as a field has
   * a `share` wider than `'subscriber'`.
   * @default a fresh shallow copy of the subscriber's own context
   */
  readonly eventContext?: ((input: EventContextInput<TContext>) => Untyped) | undefined
  /** Executes the operation for one event; the event's data is `rootValue`. @default graphql-js */
  readonly execute?: ((args: ExecutionArgs) => MaybePromise<ExecutionResult>) | undefined
  /** What happens to subscribers who read too slowly. */
  readonly overflow?: Partial<OverflowOptions> | undefined
  /** Events that may wait for execution, per group; beyond it the overflow policy applies to the group. @default 256 */
  readonly maxPendingEvents?: number | undefined
  /**
   * Asynchronous executions at a time; of several tenants each has half of them at most. Synchronous work yields to the
   * event loop every 10 ms.
   * @default 64
   */
  readonly maxConcurrentExecutions?: number | undefined
  /** For one event and group: context, filter and execution together, in milliseconds. @default 30000 */
  readonly executionTimeoutMs?: number | undefined
  /** For the scope function, and for the bus to acknowledge a subscription, in milliseconds. @default 10000 */
  readonly subscribeTimeoutMs?: number | undefined
  /**
   * Whether running subscriptions keep the schema they began with, or end when it is replaced. `'end'` is not for hosts that
   * choose a schema for each request: every choice of another one is a replacement.
   * @default 'keep'
   */
  readonly onSchemaChange?: 'keep' | 'end' | undefined
  /**
   * When the bus tells that events may be missing: `'signal'` puts `extensions.sluice.gap` on the next result,
   * `'end'` ends the stream with HISTORY_GAP. A field's own `onGap` goes before.
   * @default 'signal'
   */
  readonly onGap?: GapPolicy | undefined
  /** Hears of every failure that no caller is told of. What it throws is logged and goes nowhere else. */
  readonly onError?: ((error: unknown) => unknown) | undefined
  /** Where failures are written if there is no `onError`. @default console */
  readonly logger?: Logger | undefined
}

/** The options with every default filled in. */
export interface ResolvedOptions {
  readonly scope: SubscriptionExecutorOptions['scope']
  readonly eventContext: SubscriptionExecutorOptions['eventContext']
  readonly execute: SubscriptionExecutorOptions['execute']
  readonly overflow: OverflowOptions
  readonly maxPendingEvents: number
  readonly maxConcurrentExecutions: number
  readonly executionTimeoutMs: number
  readonly subscribeTimeoutMs: number
  readonly onSchemaChange: 'keep' | 'end'
  readonly onGap: GapPolicy
}

/** Checks the options and fills in what is missing. @throws SluiceError BAD_CONFIG, naming the option. */
export function resolveOptions(options: SubscriptionExecutorOptions): ResolvedOptions {
  checkOptions('createSubscriptionExecutor', optionsSchema, options)
  const { overflow = {} } = options
  return {
    scope: options.scope,
    eventContext: options.eventContext,
    execute: options.execute,
    overflow: Object.freeze({
      maxPendingCount: overflow.maxPendingCount ?? 1024,
      maxPendingBytes: overflow.maxPendingBytes ?? 1_048_576,
      policy: overflow.policy ?? 'disconnect',
    }),
    maxPendingEvents: options.maxPendingEvents ?? 256,
    maxConcurrentExecutions: options.maxConcurrentExecutions ?? 64,
    executionTimeoutMs: options.executionTimeoutMs ?? 30_000,
    subscribeTimeoutMs: options.subscribeTimeoutMs ?? 10_000,
    onSchemaChange: options.onSchemaChange ?? 'keep',
    onGap: options.onGap ?? 'signal',
  }
}

const count = v.pipe(v.number(), v.integer(), v.minValue(1))
// setTimeout takes no longer time than this, and fires at once for more.
const milliseconds = v.pipe(v.number(), v.minValue(1), v.maxValue(2_147_483_647))
const methods = (...names: readonly string[]) =>
  v.custom<object>(
    (value) =>
      typeof value === 'object' &&
      value !== null &&
      names.every((name) => typeof Reflect.get(value, name) === 'function'),
    `has to be an object with the methods ${names.join(', ')}`,
  )

const optionsSchema = v.strictObject({
  schema: v.optional(v.instance(GraphQLSchemaClass)),
  bus: v.optional(methods('publish', 'subscribe', 'history', 'position', 'status', 'observe', 'drain', 'close')),
  scope: v.optional(functionSchema),
  eventContext: v.optional(functionSchema),
  execute: v.optional(functionSchema),
  overflow: v.optional(
    v.strictObject({
      maxPendingCount: v.optional(count),
      maxPendingBytes: v.optional(count),
      policy: v.optional(v.picklist(['disconnect', 'dropOldest', 'dropNewest'])),
    }),
  ),
  maxPendingEvents: v.optional(count),
  maxConcurrentExecutions: v.optional(count),
  executionTimeoutMs: v.optional(milliseconds),
  subscribeTimeoutMs: v.optional(milliseconds),
  onSchemaChange: v.optional(v.picklist(['keep', 'end'])),
  onGap: v.optional(v.picklist(['signal', 'end'])),
  onError: v.optional(functionSchema),
  logger: v.optional(methods('debug', 'info', 'warn', 'error')),
})
