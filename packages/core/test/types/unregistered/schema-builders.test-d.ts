import { makeExecutableSchema } from '@graphql-tools/schema'
import { type ChannelField, createSubscriptionExecutor, fromChannel } from '@sluice/core'
import type { SluiceContext } from '@sluice/yoga'
import { type GraphQLFieldConfig, GraphQLID, GraphQLObjectType, GraphQLString } from 'graphql'
import { createSchema, createYoga, type YogaInitialContext } from 'graphql-yoga'
import { exactly } from '../exactly.ts'
import type { AppContext, OrderModel } from '../models.ts'

const typeDefs = 'type Query { q: Int } type Subscription { orderChanged(id: ID): ID }'

/** Nothing is known of the arguments, and nobody has to write their types. */
export const alone = fromChannel({
  channel: ({ id }, { prefix }) => (id ? `${prefix}:${id}` : 'orders'),
  share: (scope, { id }) => `${scope.userId}:${id}`,
  match: ({ status }) => ({ status }),
  filter: (data, { id }, context) => data.id === id && context.isAdmin,
  resolve: (data, { locale }) => data.name[locale],
})
exactly<ChannelField<any, unknown, any>>()(alone)

/** One who wants to, may. */
export const annotated = fromChannel({
  channel: ({ id }: { id: string }, context: AppContext) => {
    exactly<AppContext>()(context)
    return `order:${id}`
  },
  filter: (data: OrderModel, { id }, context) => {
    exactly<string>()(id)
    exactly<AppContext>()(context)
    return data.id === id
  },
  resolve: (data: OrderModel) => data,
})
exactly<ChannelField<{ id: string }, AppContext, OrderModel>>()(annotated)

export const named = fromChannel<{ id: string }, AppContext, number>({
  channel: ({ id }) => id,
  // @ts-expect-error -- a number was promised
  resolve: ({ cents }, _args, { prices }) => prices.format(cents),
})

export const toolsSchema = makeExecutableSchema({
  typeDefs,
  resolvers: {
    Subscription: {
      orderChanged: fromChannel({
        channel: ({ id }, context) => (id ? `${context.prefix}:${id}` : 'orders'),
        filter: (data, { id }) => data.id === id,
        resolve: (data) => data.id,
      }),
    },
  },
})

export const toolsSchemaOfContext = makeExecutableSchema<AppContext>({
  typeDefs,
  resolvers: {
    Subscription: {
      orderChanged: fromChannel({
        channel: ({ id }) => (id ? `order:${id}` : 'orders'),
        filter: (data, { id }, context) => {
          exactly<AppContext>()(context)
          return data.id === id
        },
        // @ts-expect-error -- the context has no such member
        resolve: (data, _args, { database }) => database.find(data.id),
      }),
    },
  },
})

/** `SluiceContext` is what `useSluice` adds to the context. */
export const yogaSchema = createSchema<AppContext & SluiceContext>({
  typeDefs,
  resolvers: {
    Query: {
      q: async (_root, _args, { sluice, may, request }) => {
        if (!may(request.url)) return 0
        await sluice.publish({ channel: 'orders', type: 'created', data: { id: 1 } })
        // @ts-expect-error -- a scoped publisher has no tenant to choose
        await sluice.publish({ channel: 'orders', type: 'created', data: { id: 1 }, tenantId: 'other' })
        return 1
      },
    },
    Subscription: {
      orderChanged: fromChannel({
        channel: ({ id }) => (id ? `order:${id}` : 'orders'),
        filter: (data, { id }, { may }) => data.id === id && may('read'),
        resolve: (data) => data.id,
      }),
    },
  },
})

/** No context was named: Yoga's own is there. */
export const yogaSchemaOfNoContext = createSchema({
  typeDefs,
  resolvers: {
    Query: { q: (_root, _args, context) => (exactly<YogaInitialContext>()(context), 1) },
    Subscription: {
      orderChanged: fromChannel({
        channel: ({ id }, { request }) => `${request.url}:${id}`,
        resolve: ({ id }) => id,
      }),
    },
  },
})

export const yogas = [createYoga({ schema: yogaSchemaOfNoContext }), createYoga({ schema: toolsSchema })]

export const codeFirst = new GraphQLObjectType({
  name: 'Subscription',
  fields: {
    orderChanged: {
      type: GraphQLString,
      args: { id: { type: GraphQLID } },
      ...fromChannel({
        channel: ({ id }) => (id ? `order:${id}` : 'orders'),
        match: ({ status }) => ({ status }),
        resolve: (data) => data.id,
      }),
    },
  },
})

export const fieldConfig: GraphQLFieldConfig<unknown, AppContext, { id: string }> = {
  type: GraphQLString,
  ...fromChannel({
    channel: ({ id }: { id: string }) => id,
    resolve: (data, _args, context: AppContext) => data || context,
  }),
}

// Nothing is registered: any data may be published.
const executor = createSubscriptionExecutor({
  scope: (context) => context.user,
  eventContext: ({ scope, event, initialContext }) => ({ ...initialContext, scope, type: event.type }),
})
void executor.publish({ tenantId: 'acme', channel: 'orders', type: 'created', data: { anything: 1 } })
// @ts-expect-error -- an event has data
void executor.publish({ tenantId: 'acme', channel: 'orders', type: 'created' })
// @ts-expect-error -- an event has a tenant
void executor.publish({ channel: 'orders', type: 'created', data: null })
// @ts-expect-error -- the option is called "userId"
void executor.publish({ tenantId: 'acme', channel: 'orders', type: 'created', data: null, user: '1' })

interface Session {
  readonly userId: string
}
export const executorOfContext = createSubscriptionExecutor({
  scope: ({ userId }: Session) => ({ tenantId: 'acme', userId }),
  eventContext: ({ initialContext }) => {
    exactly<Session | undefined>()(initialContext)
    return {}
  },
})
// @ts-expect-error -- a scope has a tenant
createSubscriptionExecutor({ scope: ({ userId }: Session) => ({ userId }) })
// @ts-expect-error -- the option is called "eventContext"
createSubscriptionExecutor({ context: () => ({}) })
