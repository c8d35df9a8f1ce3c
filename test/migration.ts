import { fromChannel, type ScopedPublisher, SHARED, type SubscriptionExecutor } from '@sluice/core'
import { GraphQLError, type GraphQLResolveInfo } from 'graphql'
import type { User, UserContext } from './users.ts'

/** What the application keeps: a server of several tenants, whose PubSub has the tenant in its topics where it matters. */
export const typeDefs = /* GraphQL */ `
  type Query { me: String }
  type Mutation {
    post(text: String!): Post
    changeOrder(id: ID!, total: Int!, status: String!): Order
    deposit(cents: Int!): Int
  }
  type Subscription {
    "Of everybody, for everybody."
    posted: Post
    "Its topic has an argument in it."
    orderChanged(id: ID!): Order
    "Filtered."
    largeOrders(min: Int!): Order
    "Of one user, and mapped."
    balance: Float
    "An async generator over the PubSub."
    temperature: Int
    "Asks for a permission first, and its results depend on who asks."
    audited(id: ID!): Order
    "An async generator that has nothing to do with the PubSub, and is never moved."
    countdown(from: Int!): Int
  }
  type Post { text: String!  author: String! }
  type Order {
    id: ID!
    total: Int!
    status: String!
    "Not for everybody, if the order is secret."
    note: String
    viewer: String
    "Has a bug."
    printed: String
  }
`

export interface Post {
  readonly text: string
  readonly author: string
}
export interface Order {
  readonly id: string
  readonly total: number
  readonly status: string
}

/** What each field's events are, as the application publishes them. */
export interface Events {
  posted: Post
  orderChanged: Order
  largeOrders: Order
  balance: { readonly cents: number }
  temperature: { readonly celsius: number }
  audited: Order
}
export type FieldName = keyof Events

/** In the order in which they are moved. */
export const fieldNames = ['posted', 'orderChanged', 'largeOrders', 'balance', 'temperature', 'audited'] as const

/** The context, with what Sluice's plugins add to it. */
export interface AppContext extends UserContext {
  readonly sluice?: ScopedPublisher
}

/** The functions of a subscription field, whatever they take. */
export interface SubscriptionField {
  readonly subscribe: (root: unknown, args: never, context: never, info: GraphQLResolveInfo) => unknown
  readonly resolve?: (data: never, args: never, context: never, info: GraphQLResolveInfo) => unknown
}

/** A field and its publisher, which are moved together. The publisher of a background job has no user. */
export type Feeds = {
  readonly [Name in FieldName]: {
    readonly field: SubscriptionField
    readonly publish: (event: Events[Name], context: AppContext) => unknown
  }
}

/** What the application asks before somebody may subscribe. */
export function assertMayAudit(id: string, user: User | undefined): void {
  if (user?.userId !== 'ann') throw new GraphQLError('Not for you', { extensions: { code: 'FORBIDDEN' } })
  if (id === '0') throw new Error('the database of orders is on fire')
}

/** The fields after their move. */
export function movedFeeds(executor: SubscriptionExecutor): Feeds {
  const audited = fromChannel<{ id: string }, AppContext>({ channel: 'audits', match: ({ id }) => ({ id }) })
  const inTenant =
    (channel: string) =>
    (data: object, { sluice }: AppContext) =>
      sluice?.publish({ channel, type: 'changed', data })
  const toAll = (channel: string) => (data: object) =>
    executor.publish({ tenantId: SHARED, channel, type: 'changed', data })
  return {
    posted: {
      field: fromChannel({ channel: 'posts', tenancy: 'shared', share: 'tenant' }),
      publish: toAll('posts'),
    },
    orderChanged: {
      field: fromChannel({ channel: 'orders', share: 'tenant', match: ({ id }: { id: string }) => ({ id }) }),
      publish: inTenant('orders'),
    },
    largeOrders: {
      field: fromChannel({
        channel: 'totals',
        share: 'tenant',
        filter: ({ total }: Order, { min }: { min: number }) => total >= min,
      }),
      publish: inTenant('totals'),
    },
    balance: {
      field: fromChannel({
        channel: 'balances',
        share: 'user',
        resolve: ({ cents }: Events['balance']) => cents / 100,
      }),
      publish: (data, { sluice, user }) =>
        sluice?.publish({ channel: 'balances', type: 'changed', data, ...(user && { userId: user.userId }) }),
    },
    temperature: {
      field: fromChannel({
        channel: 'temperatures',
        tenancy: 'shared',
        share: 'tenant',
        resolve: ({ celsius }: Events['temperature']) => Math.round(celsius),
      }),
      publish: toAll('temperatures'),
    },
    audited: {
      field: {
        ...audited,
        subscribe: (root: unknown, args: { id: string }, context: AppContext, info: GraphQLResolveInfo) => {
          assertMayAudit(args.id, context.user)
          return audited.subscribe(root, args, context, info)
        },
      },
      publish: inTenant('audits'),
    },
  }
}

/** Resolvers on these feeds; nothing else of the application changes when one of them is moved. */
export function resolversOf(feeds: Feeds) {
  return {
    Query: { me: (_root: unknown, _args: unknown, { user }: AppContext) => user?.userId },
    Mutation: {
      async post(_root: unknown, { text }: { text: string }, context: AppContext) {
        const post = { text, author: context.user?.userId ?? 'nobody' }
        await feeds.posted.publish(post, context)
        return post
      },
      async changeOrder(_root: unknown, order: Order, context: AppContext) {
        for (const name of ['orderChanged', 'largeOrders', 'audited'] as const)
          await feeds[name].publish(order, context)
        return order
      },
      async deposit(_root: unknown, event: Events['balance'], context: AppContext) {
        await feeds.balance.publish(event, context)
        return event.cents
      },
    },
    Subscription: {
      ...Object.fromEntries(fieldNames.map((name) => [name, feeds[name].field])),
      countdown: {
        async *subscribe(_root: unknown, { from }: { from: number }) {
          for (let countdown = from; countdown >= 0; countdown -= 1) {
            if (from - countdown === 3) throw new GraphQLError('Too far', { extensions: { code: 'TOO_FAR' } })
            yield { countdown }
          }
        },
      },
    },
    Order: {
      note({ status }: Order) {
        if (status === 'secret') throw new GraphQLError('Redacted', { extensions: { code: 'REDACTED' } })
        return `It is ${status}.`
      },
      viewer: (_order: Order, _args: unknown, { user }: AppContext) => user?.userId,
      printed: () => {
        throw new Error('the printer is on fire')
      },
    },
  }
}
