import { fromChannel, type ScopedPublisher, SHARED, type SubscriptionExecutor } from '@sluice/core'
import { GraphQLError, type GraphQLResolveInfo } from 'graphql'
import { ann, ben, gil, type User, type UserContext } from './users.ts'

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

interface SubscriptionField {
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
    },
  }
}

/** What somebody does. */
export type Step =
  | { readonly user: User; readonly over: 'HTTP' | 'WebSocket'; readonly mutation: string; readonly answer: object }
  | { readonly celsius: number }

const changed = (id: string, total: number, status: string) => ({
  mutation: `mutation { changeOrder(id: "${id}", total: ${total}, status: "${status}") { id total status } }`,
  answer: { data: { changeOrder: { id, total, status } } },
})
const posted = (text: string) => ({
  mutation: `mutation { post(text: "${text}") { text } }`,
  answer: { data: { post: { text } } },
})
const deposited = (cents: number) => ({
  mutation: `mutation { deposit(cents: ${cents}) }`,
  answer: { data: { deposit: cents } },
})

/** The last event of each field reaches everybody who listens: what came before it has come, or comes never. */
export const script: readonly Step[] = [
  { user: ann, over: 'HTTP', ...posted('hello') },
  { user: gil, over: 'WebSocket', ...posted('hi') },
  { user: ann, over: 'HTTP', ...changed('1', 50, 'new') },
  { user: ben, over: 'WebSocket', ...changed('2', 150, 'paid') },
  { user: gil, over: 'HTTP', ...changed('1', 500, 'new') },
  { user: ben, over: 'HTTP', ...changed('1', 100, 'secret') },
  { user: ann, over: 'WebSocket', ...deposited(250) },
  { user: ben, over: 'HTTP', ...deposited(1) },
  { celsius: 20.6 },
  { celsius: 21.4 },
  { user: ann, over: 'HTTP', ...changed('2', 9999, 'last') },
  { user: ann, over: 'HTTP', ...changed('1', 9999, 'last') },
  { user: gil, over: 'HTTP', ...changed('1', 9999, 'last') },
  { user: gil, over: 'HTTP', ...posted('goodbye') },
  { user: ann, over: 'HTTP', ...deposited(100) },
  { user: ben, over: 'HTTP', ...deposited(200) },
]

/** A subscription, and what it gets in every stage. */
export interface Client {
  readonly name: string
  readonly user: User
  readonly query: string
  readonly variables?: Readonly<Record<string, unknown>>
  readonly results: readonly object[]
  /** How it ends by itself; without, it goes on. */
  readonly end?: { readonly kind: 'complete' } | { readonly kind: 'errors'; readonly errors: readonly object[] }
}

const data = (name: FieldName | 'countdown', ...values: readonly unknown[]) =>
  values.map((value) => ({ data: { [name]: value } }))

const redacted = {
  data: { orderChanged: { id: '1', status: 'secret', note: null } },
  errors: [
    {
      message: 'Redacted',
      locations: [{ line: 1, column: 48 }],
      path: ['orderChanged', 'note'],
      extensions: { code: 'REDACTED' },
    },
  ],
}

export const clients: readonly Client[] = [
  ...[ann, gil].map((user) => ({
    name: `${user.userId} reads what is posted`,
    user,
    query: 'subscription { posted { text author } }',
    results: data(
      'posted',
      { text: 'hello', author: 'ann' },
      { text: 'hi', author: 'gil' },
      { text: 'goodbye', author: 'gil' },
    ),
  })),
  {
    name: 'ann follows an order',
    user: ann,
    query: 'subscription { orderChanged(id: "1") { id status note } }',
    results: [
      ...data('orderChanged', { id: '1', status: 'new', note: 'It is new.' }),
      redacted,
      ...data('orderChanged', { id: '1', status: 'last', note: 'It is last.' }),
    ],
  },
  {
    name: 'ben follows an order by a variable',
    user: ben,
    query: 'subscription Follow($id: ID!) { orderChanged(id: $id) { ...Order } } fragment Order on Order { id total }',
    variables: { id: '2' },
    results: data('orderChanged', { id: '2', total: 150 }, { id: '2', total: 9999 }),
  },
  {
    name: 'gil follows the order of that id in his tenant',
    user: gil,
    query: 'subscription { orderChanged(id: "1") { id total } }',
    results: data('orderChanged', { id: '1', total: 500 }, { id: '1', total: 9999 }),
  },
  {
    name: 'ann reads of large orders',
    user: ann,
    query: 'subscription { largeOrders(min: 150) { id total } }',
    results: data('largeOrders', { id: '2', total: 150 }, { id: '2', total: 9999 }, { id: '1', total: 9999 }),
  },
  {
    name: 'ben reads of less large ones, under another name',
    user: ben,
    query: 'subscription { large: largeOrders(min: 100) { total } }',
    results: [150, 100, 9999, 9999].map((total) => ({ data: { large: { total } } })),
  },
  {
    name: 'gil reads of large orders',
    user: gil,
    query: 'subscription { largeOrders(min: 150) { id total } }',
    results: data('largeOrders', { id: '1', total: 500 }, { id: '1', total: 9999 }),
  },
  { name: 'ann sees her balance', user: ann, query: 'subscription { balance }', results: data('balance', 2.5, 1) },
  { name: 'ben sees his', user: ben, query: 'subscription { balance }', results: data('balance', 0.01, 2) },
  ...[ann, gil].map((user) => ({
    name: `${user.userId} reads the temperature`,
    user,
    query: 'subscription { temperature }',
    results: data('temperature', 21, 21),
  })),
  {
    name: 'ann audits an order',
    user: ann,
    query: 'subscription { audited(id: "1") { id status viewer } }',
    results: ['new', 'secret', 'last'].map((status) => ({ data: { audited: { id: '1', status, viewer: 'ann' } } })),
  },
  {
    name: 'ben may not',
    user: ben,
    query: 'subscription { audited(id: "1") { id } }',
    results: [],
    end: {
      kind: 'errors',
      errors: [
        {
          message: 'Not for you',
          locations: [{ line: 1, column: 16 }],
          path: ['audited'],
          extensions: { code: 'FORBIDDEN' },
        },
      ],
    },
  },
  {
    name: 'ann counts down',
    user: ann,
    query: 'subscription { countdown(from: 2) }',
    results: data('countdown', 2, 1, 0),
    end: { kind: 'complete' },
  },
  {
    name: 'gil counts too far',
    user: gil,
    query: 'subscription { countdown(from: 9) }',
    results: data('countdown', 9, 8, 7),
    end: { kind: 'errors', errors: [{ message: 'Too far', extensions: { code: 'TOO_FAR' } }] },
  },
]
