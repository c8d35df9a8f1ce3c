import { makeExecutableSchema } from '@graphql-tools/schema'
import { fromChannel, type RegisteredContext } from '@sluice/core'
import { GraphQLObjectType, GraphQLString } from 'graphql'
import { createSchema, createYoga, type YogaInitialContext } from 'graphql-yoga'
import { exactly } from '../exactly.ts'
import type * as plain from '../generated/plain-resolvers.ts'
import type { Resolvers, SubscriptionResolvers } from '../generated/resolvers.ts'
import type { AppContext, OrderModel, Shipment } from '../models.ts'
import type { Greeting } from './register.ts'

exactly<AppContext>()({} as RegisteredContext)

export const resolvers: Resolvers = {
  Subscription: {
    orderChanged: fromChannel({
      channel: ({ id }, context) => {
        exactly<AppContext>()(context)
        return `order:${id}`
      },
      match: ({ status }) => ({ status }),
      filter: (data, { id }, context) => {
        exactly<OrderModel>()(data)
        exactly<string | null | undefined>()(id)
        exactly<AppContext>()(context)
        return data.cents > 0
      },
      resolve: (data) => {
        exactly<OrderModel>()(data)
        return data
      },
    }),
    orderFiltered: fromChannel({
      channel: 'orders',
      types: ['created', 'shipped'],
      filter: (data) => {
        exactly<OrderModel | Shipment>()(data)
        return 'cents' in data
      },
      resolve: (data) => ('cents' in data ? data : null),
    }),
    orders: fromChannel({
      channel: ({ ids }) => ids.map((id) => `order:${id}` as const),
      resolve: (data) => {
        exactly<OrderModel>()(data)
        return [data]
      },
    }),
  },
}

// Codegen knows nothing of the context: the registered one holds.
export const contextOfNobody: plain.SubscriptionResolvers = {
  orderChanged: fromChannel({
    channel: ({ id }) => `order:${id}`,
    resolve: (data, _args, context) => {
      exactly<AppContext>()(context)
      return { id: data.id, status: data.status as plain.OrderStatus, price: context.prices.format(data.cents) }
    },
  }),
}

export const fields = {
  byChannel: fromChannel({ channel: 'greetings', resolve: (data) => (exactly<Greeting>()(data), data.text) }),
  // A registered channel goes before the type.
  byChannelFirst: fromChannel({ channel: 'greetings', types: ['created'], filter: ({ text }) => text !== '' }),
  byChannels: fromChannel({
    channel: ({ id }) => (id ? `order:${id}` : 'greetings'),
    filter: (data) => (exactly<OrderModel | Greeting>()(data), true),
  }),
  bySeveralChannels: fromChannel({
    channel: ({ id }) => ['greetings', `order:${id}`],
    filter: (data) => (exactly<OrderModel | Greeting>()(data), true),
  }),
  byAsyncChannel: fromChannel({
    channel: async ({ id }) => `order:${id}`,
    filter: (data) => (exactly<OrderModel>()(data), true),
  }),
  byType: fromChannel({ channel: 'orders', types: ['shipped'], resolve: ({ carrier }) => carrier.length }),
  // What is not registered is untyped, also beside what is.
  byUnknownType: fromChannel({ channel: 'orders', types: ['shipped', 'lost'], filter: ({ whatever }) => whatever }),
  byUnknownChannel: fromChannel({ channel: ['greetings', 'orders'], filter: ({ whatever }) => whatever }),
  byNothing: fromChannel({ channel: ({ id }) => `${id}`, filter: ({ whatever }) => whatever }),
  untypedArgs: fromChannel({ channel: ({ id }, { may }) => (may(id) ? `order:${id}` : `order:none`) }),
}

fromChannel({
  channel: 'greetings',
  // @ts-expect-error -- a greeting is no shipment
  resolve: (data: Shipment) => data,
})
export const mistakes: SubscriptionResolvers = {
  orderChanged: fromChannel({
    channel: ({ id }) => `order:${id}`,
    // @ts-expect-error -- an order has cents
    filter: (data) => data.carrier === 'ship',
  }),
  orderFiltered: fromChannel({
    channel: 'orders',
    types: ['shipped'],
    // @ts-expect-error -- a shipment has no price
    filter: ({ cents }) => cents > 0,
  }),
  // @ts-expect-error -- a shipment is no order
  orders: fromChannel({ channel: 'orders', types: ['shipped'], resolve: (data) => [data] }),
  orderStatus: fromChannel({
    // @ts-expect-error -- the registered context has no such member
    channel: (_args, { tenant }) => `order:${tenant}`,
  }),
}

// The registered context holds wherever nobody says more.
const typeDefs = 'type Query { q: Int } type Subscription { orderChanged(id: ID): ID }'
const orderChanged = fromChannel({
  channel: ({ id }) => `order:${id}`,
  filter: (data, { id }, { may }) => data.id === id && may('read'),
})
export const toolsSchema = makeExecutableSchema({
  typeDefs,
  resolvers: {
    Subscription: {
      orderChanged: fromChannel({
        channel: ({ id }) => `order:${id}`,
        filter: (data, { id }, context) => (exactly<AppContext>()(context), data.id === id),
      }),
    },
  },
})
export const yogaSchema = createSchema({
  typeDefs,
  resolvers: {
    Query: { q: (_root, _args, context) => (exactly<AppContext & YogaInitialContext>()(context), 1) },
    Subscription: {
      orderChanged: fromChannel({
        channel: ({ id }) => `order:${id}`,
        filter: (data, { id }, context) => (exactly<AppContext>()(context), data.id === id),
      }),
    },
  },
})
// A schema that says its context is taken at its word.
export const yogaSchemaOfContext = createSchema<AppContext & { user: string }>({
  typeDefs,
  resolvers: {
    Subscription: {
      orderChanged: fromChannel({
        channel: (_args, { user }) => `order:${user}`,
        filter: (data, _args, context) => {
          exactly<AppContext & { user: string } & YogaInitialContext>()(context)
          return data.id === context.user
        },
      }),
      again: orderChanged,
    },
  },
})
export const contextOfOne = fromChannel<{ id: string }, { user: string }>({
  channel: ({ id }, { user }) => `order:${user}:${id}`,
})
export const yogas = [
  createYoga({ schema: yogaSchema, context: {} as AppContext }),
  createYoga({ schema: yogaSchemaOfContext, context: {} as AppContext & { user: string } }),
]
export const codeFirst = new GraphQLObjectType({
  name: 'Subscription',
  fields: {
    orderChanged: {
      type: GraphQLString,
      ...fromChannel({
        channel: ({ id }) => `order:${id}`,
        resolve: ({ cents }, _args, { prices }) => prices.format(cents),
      }),
    },
  },
})
