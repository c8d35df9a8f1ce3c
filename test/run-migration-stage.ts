import type { SubscriptionExecutor } from '@sluice/core'
import { type Subscriber, until } from '@sluice/testkit'
import { expect } from 'vitest'
import { type Client, clients, type Events, script } from './migration.ts'
import { clientsOf, type Transport } from './clients.ts'
import type { ServerAddress } from './test-server.ts'

/** The application's server, in one stage of its migration. */
export interface StageServer extends ServerAddress {
  /** How many listen to the application's own PubSub. */
  readonly listenerCount: () => number
  /** There is none before the migration begins. */
  readonly executor: SubscriptionExecutor | undefined
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

/** Runs the script, with every client over every transport, and stops the server. */
export async function runStage(server: StageServer, transports: readonly Transport[]): Promise<Outcome[]> {
  const { executor, listenerCount } = server
  const { connect, post, subscribe } = clientsOf(server)
  const running = transports.flatMap((transport) =>
    clients.map((client) => ({ client, transport, subscriber: subscribe(transport, client.user, requestOf(client)) })),
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

  for (const { client, subscriber, transport } of running) {
    await until(
      () => subscriber.end !== undefined || subscriber.results.length >= client.results.length,
      () => `${client.name} over ${transport}, and has ${JSON.stringify(subscriber.results)}`,
    )
    if (client.end !== undefined) await subscriber.ended
  }
  const outcomes = running.map(({ client, subscriber, transport }) => outcomeOf(client, transport, subscriber))
  for (const { subscriber } of staying) subscriber.complete()
  await until(
    () => listening() === 0 && (executor?.metrics().subscriptions.active ?? 0) === 0,
    () => `nobody listens: ${listenerCount()} ${JSON.stringify(executor?.metrics())}`,
  )
  await server.stop()
  return outcomes
}

/** What every client is to get, in every stage. */
export function expectedOutcomes(transports: readonly Transport[]): Outcome[] {
  return transports.flatMap((transport) =>
    clients.map(({ name, results, end }) => ({ client: name, transport, results, end })),
  )
}

/** Over SSE errors come in a last result, and then it is complete; over WebSocket they are the end. */
function outcomeOf({ name }: Client, transport: Transport, { end, results }: Subscriber): Outcome {
  const last = results.at(-1)
  if (transport === 'SSE' && end?.kind === 'complete' && last?.errors !== undefined && last.data == null)
    return { client: name, transport, results: results.slice(0, -1), end: { kind: 'errors', errors: last.errors } }
  return { client: name, transport, results: [...results], end }
}

function channelSubscriptionCount(executor: SubscriptionExecutor | undefined): number {
  if (executor === undefined) return 0
  const { groups, subscriptions } = executor.metrics()
  return subscriptions.active - (groups.unshared.byReason.source ?? 0)
}

function requestOf({ query, variables }: Client) {
  return variables === undefined ? { query } : { query, variables: { ...variables } }
}
