import { fromChannel, type Scope } from '@sluice/core'
import type { GraphQLResolveInfo } from 'graphql'
import { exactly } from '../exactly.ts'
import type { OrderFilter, OrderStatus, Resolvers, SubscriptionResolvers } from '../generated/resolvers.ts'
import type { AppContext, OrderModel } from '../models.ts'

/** Everything in a `fromChannel` is typed by the field that it stands for: here by what codegen made of the schema. */
export const resolvers: Resolvers = {
  Subscription: {
    orderChanged: fromChannel({
      channel: ({ id, status }, context) => {
        exactly<string | null | undefined>()(id)
        exactly<OrderStatus | null | undefined>()(status)
        exactly<AppContext>()(context)
        return id ? `order:${id}` : 'orders'
      },
      types: ['created', 'updated'],
      share: ({ tenantId, roles }, { id }) => {
        exactly<string>()(tenantId)
        exactly<readonly string[] | undefined>()(roles)
        exactly<string | null | undefined>()(id)
        return roles?.join() ?? ''
      },
      match: ({ status }, context) => {
        exactly<AppContext>()(context)
        return { status, 'customer.tier': ['gold'] }
      },
      filter: (data: OrderModel, { status }, context) => {
        exactly<OrderStatus | null | undefined>()(status)
        exactly<AppContext>()(context)
        return context.may('read') && data.cents > 0
      },
      tenancy: 'scoped',
      onGap: 'end',
      resolve: (data: OrderModel, { id }, context, info) => {
        exactly<string | null | undefined>()(id)
        exactly<AppContext>()(context)
        exactly<GraphQLResolveInfo>()(info)
        return data
      },
    }),
    orderFiltered: fromChannel({
      channel: ({ filter, since }) => {
        exactly<OrderFilter>()(filter)
        exactly<Date | null | undefined>()(since)
        return [`customer:${filter.customer}`, 'orders']
      },
      match: ({ filter: { customer, statuses } }) => ({ 'customer.id': customer, status: statuses }),
      filter: async (data, { filter: { minCents } }) => data.cents >= (minCents ?? 0),
      resolve: async (data, _args, { may }) => (may('read') ? (data as OrderModel) : null),
    }),
    orderStatus: fromChannel({
      channel: async ({ id }) => `order:${id}`,
      resolve: (data) => data.status as OrderStatus,
    }),
    orders: fromChannel({
      channel: ({ ids }) => ids.map((id) => `order:${id}`),
      match: ({ statuses }) => (statuses ? { status: statuses } : null),
      resolve: (data: OrderModel) => [data],
    }),
    ping: fromChannel({ channel: 'pings', resolve: () => ({ sentAt: new Date() }) }),
  },
}

const dataOfAnyType: NonNullable<SubscriptionResolvers['orderChanged']> = fromChannel({
  channel: ['orders', 'archive'],
  share: 'user',
  match: { status: 'OPEN', cents: [0, 1n, true, null] },
})

const askedBefore = fromChannel({ channel: 'orders', share: 'tenant' })
export const asking: SubscriptionResolvers = {
  orderChanged: {
    ...askedBefore,
    subscribe: (root, args, context, info) => {
      if (!context.may('read')) throw new Error('You may not.')
      return askedBefore.subscribe(root, args, context, info)
    },
  },
}

const byRole = (scope: Scope): string => scope.roles?.join() ?? ''

export const mistakes: SubscriptionResolvers = {
  orderChanged: fromChannel({
    // @ts-expect-error -- the argument is called "id"
    channel: ({ orderId }) => `order:${orderId}`,
    // @ts-expect-error -- the argument is called "status"
    match: ({ state }) => ({ status: state }),
    // @ts-expect-error -- the context has no such member
    filter: (_data, _args, { database }) => Boolean(database),
    // @ts-expect-error -- no such breadth
    share: 'everybody',
  }),
  // @ts-expect-error -- an order is no string
  orderFiltered: fromChannel({ channel: 'orders', resolve: () => 'an order' }),
  // @ts-expect-error -- one order is not several
  orders: fromChannel({ channel: 'orders', resolve: async (data: OrderModel) => data }),
  // @ts-expect-error -- no such status
  orderStatus: fromChannel({ channel: 'orders', resolve: () => 'LOST' }),
  ping: fromChannel({
    channel: 'pings',
    // @ts-expect-error -- the option is called "match"
    where: { id: 1 },
    share: byRole,
  }),
}

export const moreMistakes: SubscriptionResolvers = {
  // @ts-expect-error -- a channel is missing
  orderChanged: fromChannel({ share: 'tenant' }),
  orderFiltered: fromChannel({
    // @ts-expect-error -- a name is a string
    channel: ({ filter }) => filter.minCents,
  }),
  orderStatus: fromChannel({
    channel: 'orders',
    // @ts-expect-error -- a date has no canonical form
    match: () => ({ placedAt: new Date() }),
  }),
  orders: fromChannel({
    channel: 'orders',
    // @ts-expect-error -- a filter says yes or no
    filter: () => 'yes',
  }),
  ping: fromChannel({
    channel: 'pings',
    // @ts-expect-error -- a share function gives a string
    share: () => 1,
  }),
}

export { dataOfAnyType }
