import {
  buildSchema,
  type ExecutionArgs,
  type ExecutionResult,
  type GraphQLFieldResolver,
  type GraphQLSchema,
  parse,
} from 'graphql'
import { type MemoryBus, memoryBus } from '../bus/memory-bus.ts'
import type { PushStream, ResponseStream } from '../delivery/response-stream.ts'
import { createSubscriptionExecutor, type SubscriptionExecutor } from '../executor.ts'
import type { SubscriptionExecutorOptions } from '../options.ts'
import type { Untyped } from '../register.ts'
import type { EventInput } from '../scope/publisher.ts'
import type { SubscribeOptions } from '../subscription/subscription-services.ts'

type Resolver = GraphQLFieldResolver<Untyped, Untyped>
export interface SubscriptionField {
  readonly subscribe?: Resolver
  readonly resolve?: Resolver
}

/** A schema from the fields of its Subscription type; `Json` is a scalar that takes anything. */
export function schemaOf(
  fields: string,
  resolvers: Readonly<Record<string, SubscriptionField>>,
  types = '',
): GraphQLSchema {
  const schema = buildSchema(`scalar Json type Query { ok: Boolean } type Subscription { ${fields} } ${types}`)
  addResolvers(schema, 'Subscription', resolvers)
  return schema
}

export function addResolvers(
  schema: GraphQLSchema,
  typeName: string,
  resolvers: Readonly<Record<string, SubscriptionField>>,
): void {
  const type = schema.getType(typeName)
  if (type === undefined || !('getFields' in type)) throw new Error(`no object type ${typeName}`)
  for (const [name, resolver] of Object.entries(resolvers)) Object.assign(type.getFields()[name] as object, resolver)
}

export interface Viewer {
  readonly tenantId: string
  readonly userId?: string
  readonly [claim: string]: unknown
}

export const alice: Viewer = { tenantId: 't', userId: 'alice' }
export const bob: Viewer = { tenantId: 't', userId: 'bob' }

export interface Request {
  readonly variables?: Readonly<Record<string, unknown>>
  /** Further members of the context value; `viewer` is the scope. */
  readonly context?: object
  readonly args?: Partial<ExecutionArgs>
  readonly how?: SubscribeOptions
}

export interface Service {
  readonly executor: SubscriptionExecutor
  readonly bus: MemoryBus
  readonly schema: GraphQLSchema
  /** What `onError` heard. */
  readonly errors: unknown[]
  /** Fails if there is no response stream. */
  subscribe(query: string, viewer?: unknown, request?: Request): Promise<PushStream>
  attempt(query: string, viewer?: unknown, request?: Request): Promise<ResponseStream | ExecutionResult>
  /** To tenant `t`, unless `more` says otherwise. */
  publish(channel: string, data: unknown, more?: Partial<EventInput>): Promise<unknown>
  /** What the subscriptions got, after everything that was published has been executed; they have ended then. */
  received(...streams: readonly ResponseStream[]): Promise<ExecutionResult[][]>
}

/** An executor whose scope is the `viewer` of the context. */
export function serve(schema: GraphQLSchema, options: SubscriptionExecutorOptions = {}): Service {
  const errors: unknown[] = []
  const bus = memoryBus()
  const executor = createSubscriptionExecutor({
    schema,
    bus,
    scope: ({ viewer }) => viewer,
    onError: (error) => errors.push(error),
    ...options,
  })
  const attempt: Service['attempt'] = (query, viewer = alice, { variables, context, args, how } = {}) =>
    executor.subscribe(
      {
        schema,
        document: parse(query),
        variableValues: variables ?? null,
        contextValue: { viewer, ...context },
        ...args,
      },
      how,
    )
  return {
    executor,
    bus,
    schema,
    errors,
    attempt,
    subscribe: async (...request) => streamOf(await attempt(...request)),
    publish: (channel, data, more) => executor.publish({ tenantId: 't', channel, type: 'changed', data, ...more }),
    received: async (...streams) => {
      await executor.drain()
      return Promise.all(streams.map(readAll))
    },
  }
}

export function streamOf(outcome: ResponseStream | ExecutionResult): PushStream {
  if (!('next' in outcome)) throw new Error(`refused: ${JSON.stringify(outcome)}`)
  return outcome as PushStream
}

/** The next result; fails if the stream is done. */
export async function take(stream: ResponseStream): Promise<ExecutionResult> {
  const { done, value } = await stream.next()
  if (done === true) throw new Error('the stream is done')
  return value
}

/** Every result until the stream is done. */
export async function readAll(stream: ResponseStream): Promise<ExecutionResult[]> {
  const results: ExecutionResult[] = []
  for await (const result of stream) results.push(result)
  return results
}

/** The values of one field in results without errors. */
export function valuesOf(results: readonly ExecutionResult[], field = 'changed'): unknown[] {
  return results.map(({ data, errors }) => {
    if (errors !== undefined) throw new Error(`an error result: ${JSON.stringify(errors)}`)
    return data?.[field]
  })
}

/** The codes of the errors of a refused request. */
export function codesOf(outcome: ResponseStream | ExecutionResult): unknown[] {
  if ('next' in outcome) throw new Error('it was not refused')
  return (outcome.errors ?? []).map(({ extensions }) => extensions['code'])
}

/** A promise and its levers. */
export interface Deferred<T> {
  readonly promise: Promise<T>
  resolve(value: T): void
  reject(error: unknown): void
}

export function deferred<T = void>(): Deferred<T> {
  let resolve!: (value: T) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<T>((...levers) => {
    ;[resolve, reject] = levers
  })
  return { promise, resolve, reject }
}

/** The next turn of the event loop: everything that is settled by now has been heard of. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** What is neither fulfilled nor rejected, ever. */
export function never<T = never>(): Promise<T> {
  return new Promise<T>(() => undefined)
}

/** Timers that run now, vitest's own among them. */
export function timerCount(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout' || name === 'Immediate').length
}

/** Whether no more timers run than before, as soon as vitest's own, which come and go, have gone. */
export async function areTimersBackAt(count: number): Promise<boolean> {
  const end = performance.now() + 2000
  while (timerCount() > count && performance.now() < end) await nextTurn()
  return timerCount() <= count
}
