import type { SubscriptionExecutor } from '@sluice/core'
import { until } from '@sluice/testkit'
import { expect } from 'vitest'
import type { Events } from './migration.ts'
import { type Client, clients, script, type Telling } from './migration-script.ts'
import { clientsOf, type Transport } from './clients.ts'
import type { ServerAddress } from './test-server.ts'

/** The application's server, in one stage of its migration. */
export interface StageServer extends ServerAddress {
  /** How many listen to the application's own PubSub. */
  readonly listenerCount: () => number
  /** There is none before the migration begins. */
  readonly executor: SubscriptionExecutor | undefined
  /** Whether subscriptions come to the executor. */
  readonly isServedBySluice: boolean
  /** Publishes without a request, as a background job does. */
  readonly measured: (event: Events['temperature']) => unknown
  readonly stop: () => Promise<void>
}

/** How somebody's subscription went. */
export interface Outcome {
  readonly client: string
  readonly transport: Transport
  readonly results: readonly unknown[]
  readonly end: unknown
}

/** The transports that a stage serves, each with how it tells of errors. */
export type Tellings = Readonly<Partial<Record<Transport, Telling>>>

/** Runs the script, with every client over every transport, and stops the server. */
export async function runStage(server: StageServer, tellings: Tellings): Promise<Outcome[]> {
  const { executor, listenerCount } = server
  const { connect, post, subscribe } = clientsOf(server)
  const running = Object.entries(tellings).flatMap(([name, telling]) =>
    clients.map((client) => {
      const transport = name as Transport
      const count = resultsOf(client, telling).length
      return { client, count, transport, subscriber: subscribe(transport, client.user, requestOf(client)) }
    }),
  )
  const staying = running.filter(({ client: { end } }) => end === undefined)
  // Sources of the application's own are counted where they listen.
  const listening = (): number => listenerCount() + channelSubscriptionCount(executor)
  await until(
    () => listening() === staying.length,
    () =>
      `${staying.length} listen, not ${listening()}: ${JSON.stringify(running.map(({ subscriber }) => subscriber.end))}`,
  )

  for (const step of script) {
    if ('celsius' in step) {
      await server.measured(step)
    } else {
      const { user, over, mutation, answer } = step
      const answered = over === 'HTTP' ? await post(user, mutation) : await connect(user).run({ query: mutation })
      expect(answered, mutation).toEqual(answer)
    }
  }

  for (const { client, count, subscriber, transport } of running) {
    await until(
      () => subscriber.end !== undefined || (client.end === undefined && subscriber.results.length >= count),
      () => `${client.name} over ${transport}, and has ${JSON.stringify(subscriber.results)}`,
    )
  }
  const outcomes = running.map(({ client: { name }, subscriber: { results, end }, transport }) => ({
    client: name,
    transport,
    results: [...results],
    end,
  }))
  for (const { subscriber } of staying) subscriber.complete()
  const left = async (): Promise<boolean> => {
    // An async generator that waits for an event cannot be ended before one has come.
    await server.measured({ celsius: 0 })
    return listening() === 0 && (executor?.metrics().subscriptions.active ?? 0) === 0
  }
  await until(left, () => `nobody listens, not ${listening()}: ${JSON.stringify(executor?.metrics())}`)
  const started = running.filter(({ client: { end } }) => end?.kind !== 'invalid' && end?.kind !== 'refused')
  expect(executor?.metrics().subscriptions.total ?? 0).toBe(server.isServedBySluice ? started.length : 0)
  await server.stop()
  return outcomes
}

/** What every client is to get over each transport, in a stage that tells of errors so. */
export function expectedOutcomes(tellings: Tellings): Outcome[] {
  return Object.entries(tellings).flatMap(([transport, telling]) =>
    clients.map((client) => expectedOutcome(client, transport as Transport, telling)),
  )
}

function expectedOutcome(client: Client, transport: Transport, telling: Telling): Outcome {
  const { name, end } = client
  const outcome = { client: name, transport, results: resultsOf(client, telling), end }
  if (end === undefined || end.kind === 'complete') return outcome
  const { failure, invalid, refusal } = telling
  const place = failure === 'a located result' ? { locations: [{ line: 1, column: 1 }] } : {}
  const ways: Readonly<Record<typeof end.kind, readonly [how: string, more: object]>> = {
    invalid,
    refused: [refusal, {}],
    failed: [failure, place],
  }
  const [how, more] = ways[end.kind]
  const errors = [{ ...end.error, ...more }]
  return how === 'an error'
    ? { ...outcome, end: { kind: 'errors', errors } }
    : { ...outcome, results: [...outcome.results, { errors }], end: { kind: 'complete' } }
}

function resultsOf({ results }: Client, telling: Telling): readonly object[] {
  return typeof results === 'function' ? results(telling) : results
}

function channelSubscriptionCount(executor: SubscriptionExecutor | undefined): number {
  if (executor === undefined) return 0
  const { groups, subscriptions } = executor.metrics()
  return subscriptions.active - (groups.unshared.byReason.source ?? 0)
}

function requestOf({ query, variables }: Client) {
  return variables === undefined ? { query } : { query, variables: { ...variables } }
}
