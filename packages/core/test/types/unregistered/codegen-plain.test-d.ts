import { fromChannel } from '@sluice/core'
import { exactly } from '../exactly.ts'
import type * as literal from '../generated/literal-resolvers.ts'
import { type OrderStatus, OrderStatus as Status, type Resolvers } from '../generated/plain-resolvers.ts'
import type { OrderModel } from '../models.ts'

// Codegen was not told of the context or of our models.
export const resolvers: Resolvers = {
  Subscription: {
    orderChanged: fromChannel({
      channel: ({ id, status }, { prefix }) => {
        exactly<string | null | undefined>()(id)
        exactly<OrderStatus | null | undefined>()(status)
        return `${prefix}:${id ?? status ?? 'all'}`
      },
      filter: (data, { id }, context) => data.id === id && context.isAdmin,
      resolve: (data, _args, context) => ({
        id: data.id,
        status: Status.Paid,
        price: context.prices.format(data.cents),
      }),
    }),
    orderStatus: fromChannel({ channel: ({ id }) => id, resolve: ({ status }) => status }),
    ping: fromChannel({ channel: 'pings' }),
  },
}

// Enums as unions of strings.
export const literals: literal.Resolvers = {
  Subscription: {
    orderChanged: fromChannel({
      channel: ({ id }) => `order:${id ?? '*'}`,
      match: ({ status }) => ({ status }),
      resolve: ({ id }) => ({ id, status: 'PAID', cents: 1, customer: { id: '1', tier: 'gold' } }),
    }),
    orderStatus: fromChannel({ channel: 'orders', resolve: () => 'PAID' }),
    orders: fromChannel({ channel: ({ ids }) => ids, resolve: async (data: OrderModel) => [data] }),
    ping: fromChannel({ channel: ['a', 'b'] }),
  },
}

export const mistakes: literal.Resolvers = {
  Subscription: {
    // @ts-expect-error -- no such status
    orderStatus: fromChannel({ channel: 'orders', resolve: () => 'LOST' }),
  },
}
