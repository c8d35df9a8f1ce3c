import { createSubscriptionExecutor, fromChannel, memoryBus, type SubscriptionExecutorOptions } from '@sluice/core'
import { type ExecutionResult, parse } from 'graphql'
import { expect, test, vi } from 'vitest'
import { compiledExecute } from '../index.ts'
import { schemaOf } from './same-result.ts'

const document = parse(`
  subscription ($id: ID!, $brief: Boolean = false) {
    order(id: $id) { id status ... @skip(if: $brief) { customer { name } items { sku price total(times: 2) } viewer } __typename }
  }
`)

const orders = [
  { id: '1', status: 'OPEN', customer: { name: 'Ann' }, items: [{ sku: 'a', price: 5 }] },
  { id: '1', status: 'PAID', customer: null, items: [] },
  {
    id: '1',
    status: 'WRONG',
    customer: { name: 'Ann' },
    items: [
      { sku: 'a', price: null },
      { sku: 'b', price: 2 },
    ],
  },
  { id: '1', status: 'OPEN', customer: {}, items: null },
]

function orderSchema() {
  const schema = schemaOf(
    `type Query { ok: Boolean }
     enum Status { OPEN PAID }
     type Order { id: ID! status: Status customer: Customer items: [Item!] viewer: String }
     type Customer { name: String! }
     type Item { sku: ID! price: Int! total(times: Int!): Int! }
     type Subscription { order(id: ID!): Order }`,
    {
      Item: { total: ({ price }: { price: number }, { times }: { times: number }) => Promise.resolve(price * times) },
      Order: { viewer: (_, __, { viewer }: { viewer: string }) => viewer },
    },
  )
  const field = schema.getSubscriptionType()?.getFields()['order'] as object
  Object.assign(field, fromChannel({ channel: ({ id }: { id: string }) => `order.${id}`, share: 'tenant' }))
  return schema
}

/** What two subscribers of a group receive, one of whom wants less, who is in another group therefore. */
async function received(execute: SubscriptionExecutorOptions['execute']): Promise<ExecutionResult[][]> {
  const schema = orderSchema()
  const executor = createSubscriptionExecutor({
    schema,
    bus: memoryBus(),
    scope: () => ({ tenantId: 't' }),
    eventContext: () => ({ viewer: 'nobody' }),
    ...(execute !== undefined && { execute }),
  })
  const subscribe = async (variableValues: Record<string, unknown>) => {
    const stream = await executor.subscribe({ schema, document, variableValues, contextValue: { viewer: 'own' } })
    if (!(Symbol.asyncIterator in stream)) throw new Error(JSON.stringify(stream))
    return stream
  }
  const streams = [
    await subscribe({ id: '1' }),
    await subscribe({ id: '1' }),
    await subscribe({ id: '1', brief: true }),
  ]
  for (const data of orders)
    await executor.publish({ tenantId: 't', channel: 'order.1', type: 'changed', data: { order: data } })
  await executor.drain()
  const results = await Promise.all(
    streams.map(async (stream) => {
      const all: ExecutionResult[] = []
      for await (const result of stream) all.push(JSON.parse(JSON.stringify(result)) as ExecutionResult)
      return all
    }),
  )
  await executor.dispose()
  return results
}

test('subscribers receive through an executor what they receive without compiled execution, errors included', async () => {
  const expected = await received(undefined)
  const execute = vi.fn(compiledExecute())
  expect(await received(execute)).toEqual(expected)
  expect(expected.map((results) => results.length)).toEqual([4, 4, 4])
  expect(expected[0]?.some(({ errors }) => errors !== undefined)).toBe(true)
  // Once for each event and group, as ever.
  expect(execute).toHaveBeenCalledTimes(8)
})
