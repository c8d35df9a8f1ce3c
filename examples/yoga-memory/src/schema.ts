import { fromChannel, type ScopedPublisher, type SubscriptionExecutor } from '@sluice/core'
import { GraphQLError, type GraphQLSchema } from 'graphql'
import { createSchema } from 'graphql-yoga'
import type { Audience } from './audience.ts'
import type { Order, OrderStatus, Shop } from './orders.ts'

/** What the resolvers of the board get, whoever made the context: a request, or an event (then without `sluice`). */
export interface BoardContext {
  /** The shop of the scope's tenant. Resolvers have no way to ask for another one. */
  readonly shop: Shop
  readonly audience: Audience
  /** The request's publisher, put there by `useSluice`. It cannot leave the tenant of the request's scope. */
  readonly sluice: ScopedPublisher
}

const typeDefs = /* GraphQL */ `
  type Query {
    board: Board!
    meter: Meter!
  }

  type Board {
    revision: Int!
    orders: [Order!]!
  }

  type Order {
    id: ID!
    item: String!
    price: String!
    status: OrderStatus!
    revision: Int!
  }

  enum OrderStatus { CREATED PAID PACKED SHIPPED DELIVERED }

  "What the executor counted since the server started; the first three for all tenants together."
  type Meter {
    events: Int!
    executions: Int!
    deliveries: Int!
    "Subscriptions of the asking tenant."
    subscribers: Int!
    audience: Audience!
  }

  type Audience {
    size: Int!
    received: Int!
  }

  type Mutation {
    createOrder: Order!
    advanceOrder(id: ID!, to: OrderStatus!): Order!
    growAudience(by: Int!): Int!
    dismissAudience: Int!
  }

  type Subscription {
    orderChanged: Order!
  }
`

/** The schema of the board. `metrics` is the executor's, which counts for all tenants. */
export function createBoardSchema(executor: Pick<SubscriptionExecutor, 'metrics'>): GraphQLSchema {
  return createSchema<BoardContext>({
    typeDefs,
    resolvers: {
      Query: {
        board: (_root, _args, { shop }) => shop,
        meter: (_root, _args, { shop, audience }) => {
          const { events, executions, subscriptions } = executor.metrics()
          return {
            events: events.published,
            executions,
            deliveries: events.delivered,
            subscribers: subscriptions.byTenant[shop.tenant.id] ?? 0,
            audience,
          }
        },
      },
      Order: {
        price: ({ cents }: Order, _args, { shop }) => formatPrice(cents, shop.tenant.currency),
      },
      Mutation: {
        createOrder: async (_root, _args, { shop, sluice }) => {
          const order = shop.create()
          await sluice.publish({ channel: 'orders', type: 'created', data: order })
          return order
        },
        advanceOrder: async (_root, { id, to }: { id: string; to: OrderStatus }, { shop, sluice }) => {
          const before = shop.revision
          const order = shop.advance(id, to)
          if (!order) {
            throw new GraphQLError(`${shop.tenant.name} has no order ${id}.`, { extensions: { code: 'NOT_FOUND' } })
          }
          if (shop.revision > before) await sluice.publish({ channel: 'orders', type: 'updated', data: order })
          return order
        },
        growAudience: (_root, { by }: { by: number }, { audience }) => audience.grow(by),
        dismissAudience: (_root, _args, { audience }) => {
          audience.dismiss()
          return audience.size
        },
      },
      Subscription: {
        // One channel name for everybody: it is the channel of the subscriber's own tenant. Everyone in a tenant
        // sees the same board, so that an event is executed once for all of them.
        orderChanged: fromChannel({ channel: 'orders', share: 'tenant' }),
      },
    },
  })
}

function formatPrice(cents: number, currency: string): string {
  return new Intl.NumberFormat('en', { style: 'currency', currency }).format(cents / 100)
}
