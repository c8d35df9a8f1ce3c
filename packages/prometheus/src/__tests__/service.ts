import { makeExecutableSchema } from '@graphql-tools/schema'
import {
  createSubscriptionExecutor,
  type EventInput,
  fromChannel,
  type ResponseStream,
  type SubscriptionExecutor,
  type SubscriptionExecutorOptions,
} from '@sluice/core'
import { type ExecutionResult, parse } from 'graphql'
import { Registry } from 'prom-client'
import { collectMetrics, type ExecutorMetrics } from '../collect-metrics.ts'
import type { MetricsOptions } from '../metrics-options.ts'

const typeDefs = /* GraphQL */ `
  type Query { ok: Boolean }
  type Subscription {
    "Shared by a tenant."
    news: String
    "Shared by the subscriptions of a user."
    mine: String
    "Of its own, and only of a type that is rare."
    rare: String
    "Not of a channel, and it never ends."
    silence: String
  }
`

const resolve = (data: string) => data

const schema = makeExecutableSchema({
  typeDefs,
  resolvers: {
    Subscription: {
      news: fromChannel({ channel: 'news', share: 'tenant', resolve }),
      mine: fromChannel({ channel: 'news', share: 'user', resolve }),
      rare: fromChannel({ channel: 'news', types: ['rare'], resolve }),
      silence: {
        async *subscribe() {
          await new Promise(() => {})
          yield ''
        },
      },
    },
  },
})

export interface Service extends AsyncDisposable {
  readonly executor: SubscriptionExecutor
  /** Its metrics, in a registry of its own. */
  readonly metrics: ExecutorMetrics
  readonly registry: Registry
  /** What `onError` heard. */
  readonly errors: unknown[]
  attempt(field: string, viewer: unknown): Promise<ResponseStream | ExecutionResult>
  /** Fails if the subscription is refused. By default its viewer is alice of tenant `t`. */
  subscribe(field: string, viewer?: unknown): Promise<ResponseStream>
  /** To tenant `t`, unless `more` says otherwise. */
  publish(data: string, more?: Partial<EventInput>): Promise<unknown>
}

export function serve(
  options: Omit<MetricsOptions, 'registry'> = {},
  executorOptions: SubscriptionExecutorOptions = {},
): Service {
  const errors: unknown[] = []
  const executor = createSubscriptionExecutor({
    scope: ({ viewer }: { viewer: never }) => viewer,
    eventContext: () => ({}),
    onError: (error) => errors.push(error),
    ...executorOptions,
  })
  const registry = new Registry()
  const metrics = collectMetrics(executor, { registry, ...options })
  const attempt: Service['attempt'] = (field, viewer) =>
    executor.subscribe({ schema, document: parse(`subscription { ${field} }`), contextValue: { viewer } })
  return {
    executor,
    metrics,
    registry,
    errors,
    attempt,
    async subscribe(field, viewer = { tenantId: 't', userId: 'alice' }) {
      const outcome = await attempt(field, viewer)
      if (!('next' in outcome)) throw new Error(`refused: ${JSON.stringify(outcome)}`)
      return outcome
    },
    publish: (data, more) => executor.publish({ tenantId: 't', channel: 'news', type: 'usual', data, ...more }),
    async [Symbol.asyncDispose]() {
      metrics.stop()
      await executor.dispose()
    },
  }
}

/** The next result; fails if there is none. */
export async function take(stream: ResponseStream): Promise<ExecutionResult> {
  const { done, value } = await stream.next()
  if (done === true) throw new Error('the stream is done')
  return value
}
