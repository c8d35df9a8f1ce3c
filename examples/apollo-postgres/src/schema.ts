import { makeExecutableSchema } from '@graphql-tools/schema'
import { fromChannel } from '@sluice/core'
import type { PostgresBus } from '@sluice/postgres'
import { GraphQLError, type GraphQLSchema } from 'graphql'
import type { Pool } from 'pg'

/** Who asks; an event is executed for all of a company together, so that there it is the company alone. */
export interface OrdersContext {
  readonly company: string | undefined
}

interface Order {
  readonly id: number
  readonly status: string
}

const typeDefs = /* GraphQL */ `
  type Query { orders: [Order!]! }
  type Order { id: ID! status: String! }
  type Remark { order: ID! text: String! }
  type Mutation {
    "Changes an order and remarks on it, in one transaction."
    ship(id: ID!, remark: String!, fail: Boolean! = false): Order!
  }
  type Subscription {
    "Every change of the table orders, whoever writes it."
    orderChanged: Order!
    remarked: Remark!
  }
`

export function createOrdersSchema(pool: Pool, bus: PostgresBus): GraphQLSchema {
  return makeExecutableSchema<OrdersContext>({
    typeDefs,
    resolvers: {
      Query: {
        async orders(_root, _args, context) {
          const company = companyOf(context)
          return (await pool.query<Order>('SELECT id, status FROM orders WHERE company = $1 ORDER BY id', [company]))
            .rows
        },
      },
      Mutation: {
        async ship(_root, { id, remark, fail }: { id: string; remark: string; fail: boolean }, context) {
          const company = companyOf(context)
          const client = await pool.connect()
          try {
            await client.query('BEGIN')
            const { rows } = await client.query<Order>(
              `UPDATE orders SET status = 'SHIPPED' WHERE id = $1 AND company = $2 RETURNING id, status`,
              [id, company],
            )
            const [order] = rows
            if (order === undefined) throw new GraphQLError(`There is no order ${id}.`)
            await bus.publishIn(client, {
              tenantId: company,
              channel: 'remarks',
              type: 'remarked',
              data: { order: id, text: remark },
            })
            // Whatever goes wrong from here on takes the event with it.
            if (fail) throw new GraphQLError('The parcel service is closed.')
            await client.query('COMMIT')
            bus.wake()
            return order
          } catch (error) {
            await client.query('ROLLBACK').catch(() => {}) // a connection that is gone has rolled back
            throw error
          } finally {
            client.release()
          }
        },
      },
      Subscription: {
        orderChanged: fromChannel({ channel: 'orders', types: ['insert', 'update'], share: 'tenant' }),
        remarked: fromChannel({ channel: 'remarks', share: 'tenant' }),
      },
    },
  })
}

function companyOf({ company }: OrdersContext): string {
  if (company === undefined) throw new GraphQLError('Who is asking?', { extensions: { code: 'UNAUTHENTICATED' } })
  return company
}
