import { makeExecutableSchema } from '@graphql-tools/schema'
import { type EventInput, fromChannel, type SluiceContext } from '@sluice/core'
import { until } from '@sluice/testkit'
import type { GraphQLSchema } from 'graphql'
import { expect } from 'vitest'
import { clientsOf } from './clients.ts'
import type { TestServer } from './test-server.ts'
import { ann, ben, gil } from './users.ts'

interface Order {
  readonly id: string
  readonly status: string
  readonly total: number
}

const typeDefs = /* GraphQL */ `
  type Query { ok: Boolean }
  type Mutation { order(id: ID!, status: String!, total: Int!, tenantId: String): Boolean }
  type Subscription {
    orders(status: String): Order
    large(min: Int!): Order
    mine: Order
    own: Order
    "Of no channel: one number, and then it goes on, ends or fails."
    ticks(then: String): Int
  }
  type Order { id: ID!  broken: String }
`

/** What the workload runs on. `stop` ends the subscriptions that are of no channel. */
export function workloadSchema(stop: Promise<void>): GraphQLSchema {
  return makeExecutableSchema({
    typeDefs,
    resolvers: {
      Mutation: {
        async order(_root: unknown, { tenantId, ...data }: Order & { tenantId?: string }, { sluice }: SluiceContext) {
          const event = { channel: 'orders', type: 'order', data }
          await sluice.publish(tenantId === undefined ? event : Object.assign(event, { tenantId }))
          return true
        },
      },
      Subscription: {
        orders: fromChannel({
          channel: 'orders',
          types: ['order'],
          share: 'tenant',
          match: ({ status }: { status?: string }) => ({ status }),
        }),
        large: fromChannel({
          channel: 'orders',
          share: 'tenant',
          filter: ({ total }: Order, { min }: { min: number }) => total >= min,
        }),
        mine: fromChannel({ channel: 'orders', share: 'user' }),
        own: fromChannel({ channel: 'orders' }),
        ticks: {
          async *subscribe(_root: unknown, { then }: { then?: string }) {
            yield { ticks: 1 }
            if (then === 'fails') throw new Error('the clock is broken')
            if (then === undefined) await stop
          },
        },
      },
      Order: {
        broken: () => {
          throw new Error('it is broken')
        },
      },
    },
  })
}

/** Where hosts differ in what they count. */
export interface Differences {
  /** Yoga answers those whom it refuses without opening a stream for them. */
  readonly connectionCount: number
  /** Where a host's hooks see the results of a subscription of its own, nobody asks the executor for its bytes. */
  readonly serializationCount: number
  /** Where a host's own masking hears of a source stream that failed, the executor is told nothing of it. */
  readonly errors: Readonly<Record<string, number>>
}

/** Does what the numbers below are about, over both transports. */
export async function work(server: TestServer): Promise<void> {
  const { executor } = server
  const { connect, post, subscribe } = clientsOf(server)
  const publish = (data: Order, more: Partial<EventInput> = {}): Promise<unknown> =>
    executor.publish({ tenantId: 'acme', channel: 'orders', type: 'order', data, ...more })
  const active = (count: number): Promise<void> =>
    until(
      () => executor.metrics().subscriptions.active === count,
      () => `${count} run: ${JSON.stringify(executor.metrics().subscriptions)}`,
    )

  const sharing = subscribe('WebSocket', ann, 'subscription { orders { id } }')
  const leaving = subscribe('SSE', ann, 'subscription { orders { id } }')
  const paid = subscribe('SSE', ben, 'subscription { orders(status: "paid") { id } }')
  const large = subscribe('WebSocket', ann, 'subscription { large(min: 10) { id } }')
  const mine = subscribe('WebSocket', ben, 'subscription { mine { id } }')
  const own = subscribe('WebSocket', ben, 'subscription { own { id } }')
  const failing = subscribe('SSE', ann, 'subscription { orders { id broken } }')
  const cut = connect(gil)
  const elsewhere = cut.subscribe({ query: 'subscription { orders { id } }' })
  const ticking = subscribe('SSE', gil, 'subscription { ticks }')
  await active(9)
  await ticking.received(1)
  await subscribe('WebSocket', ann, 'subscription { ticks(then: "ends") }').ended
  await subscribe('WebSocket', ann, 'subscription { ticks(then: "fails") }').ended
  for (const transport of ['WebSocket', 'SSE'] as const)
    await subscribe(transport, undefined, 'subscription { orders { id } }').refused()

  await post(ann, 'mutation { order(id: 1, status: "new", total: 5) }')
  await publish({ id: '2', status: 'paid', total: 1 }, { type: 'note' })
  await leaving.received(1)
  leaving.complete()
  await active(8)
  await publish({ id: '3', status: 'paid', total: 20 })
  await publish({ id: '4', status: 'paid', total: 30 }, { userId: 'ann' })
  await post(gil, 'mutation { order(id: 5, status: "new", total: 1) }')
  await publish({ id: '6', status: 'new', total: 1 }, { channel: 'nobody is here' })
  const stolen = await post(gil, 'mutation { order(id: 7, status: "new", total: 1, tenantId: "acme") }')
  expect(stolen.errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
  for (const [subscriber, count] of [
    [sharing, 3],
    [paid, 1],
    [large, 2],
    [mine, 3],
    [own, 3],
    [failing, 3],
    [elsewhere, 1],
  ] as const)
    await subscriber.received(count)
  const socket = await cut.opened
  socket.terminate()
  await active(7)
  await until(() => executor.metrics().connections.active === 10, 'ten are connected')
}

/** What has to be in a scrape after it, event by event. */
export function expectedValues({ connectionCount, serializationCount, errors }: Differences): Record<string, number> {
  const named = {
    connections_active: 7 + 3,
    connections_opened_total: connectionCount,
    active: 7,
    started_total: 11,
    'ended_total{reason="client"}': 2,
    'ended_total{reason="complete"}': 1,
    'ended_total{reason="source"}': 1,
    'refused_total{code="UNAUTHENTICATED"}': 2,
    'unshared_active{reason="subscriber"}': 1,
    'unshared_active{reason="source"}': 1,
    'unshared_active{reason="scope"}': 0,
    'unshared_active{reason="variables"}': 0,
    groups_active: 6,
    events_published_total: 6,
    // Of the channels five, since nobody listened to the sixth; and one of each source.
    events_received_total: 5 + 3,
    events_delivered_total: 5 + 2 + 6 + 3 + 1 + 3,
    'events_filtered_total{reason="type"}': 3,
    'events_filtered_total{reason="match"}': 1,
    'events_filtered_total{reason="user"}': 3,
    'events_filtered_total{reason="filter"}': 2,
    events_dropped_total: 0,
    gaps_total: 0,
    'queue_depth{queue="events"}': 0,
    'queue_depth{queue="responses"}': 0,
    executions_total: 4 + 2 + 6 + 3 + 1 + 3,
    serializations_total: serializationCount,
    'errors_total{code="UNAUTHENTICATED"}': 2,
    ...Object.fromEntries(Object.entries(errors).map(([code, count]) => [`errors_total{code="${code}"}`, count])),
    // 11 scopes; 6 groups asked for each of 3 events, 3 of them for the one of ann, and 1 of globex; 2 publishes.
    'security_checks_total{result="passed"}': 11 + 3 * 6 + 3 + 1 + 2,
    'security_checks_total{result="rejected_tenant"}': 1,
    'security_checks_total{result="rejected_user"}': 3,
    'security_checks_total{result="rejected_scope"}': 2,
    'bus_status{bus="memory",status="up"}': 1,
    'bus_status{bus="memory",status="degraded"}': 0,
    'bus_status{bus="memory",status="down"}': 0,
    'bus_status{bus="memory",status="closed"}': 0,
  }
  return Object.fromEntries(Object.entries(named).map(([name, value]) => [`graphql_subscriptions_${name}`, value]))
}
