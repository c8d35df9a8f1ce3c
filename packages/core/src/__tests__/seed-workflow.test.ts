import { GraphQLObjectType, GraphQLSchema, GraphQLString } from 'graphql'
import { expect, test } from 'vitest'
import { fromChannel } from '../channel/from-channel.ts'
import { createSubscriptionExecutor } from '../executor.ts'

// The workflow that the original system set as its phase 1: register, publish, next message, metrics.
test('a registered subscription gets its event as the bytes of a complete next message', async () => {
  const message = new GraphQLObjectType({ name: 'Test', fields: { message: { type: GraphQLString } } })
  const schema = new GraphQLSchema({
    query: new GraphQLObjectType({ name: 'Query', fields: { ok: { type: GraphQLString } } }),
    subscription: new GraphQLObjectType({
      name: 'Subscription',
      fields: { test: { type: message, ...fromChannel({ channel: 'test' }) } },
    }),
  })
  const executor = createSubscriptionExecutor({ schema })
  const address = { connectionId: 'test_conn', subscriptionId: 'test_sub' }

  await executor.register({
    ...address,
    query: 'subscription { test { message } }',
    variables: {},
    userId: 'test_user',
    tenantId: 'test_tenant',
  })
  await executor.publish({ tenantId: 'test_tenant', channel: 'test', type: 'test', data: { message: 'hello' } })

  const bytes = executor.nextMessage(address)
  expect(bytes).toBeInstanceOf(Uint8Array)
  expect(JSON.parse(new TextDecoder().decode(bytes as Uint8Array))).toEqual({
    id: 'test_sub',
    type: 'next',
    payload: { data: { test: { message: 'hello' } } },
  })
  expect(executor.nextMessage(address)).toBeNull()

  expect(executor.metrics()).toMatchObject({
    connections: { active: 1, total: 1 },
    subscriptions: { active: 1, total: 1, byTenant: { test_tenant: 1 } },
    groups: { active: 1, unshared: { byReason: { subscriber: 1 } } },
    events: { published: 1, received: 1, delivered: 1, filtered: 0, dropped: 0 },
    executions: 1,
    serializations: 1,
    security: { rejected: { tenant: 0, user: 0, scope: 0 } },
    bus: { name: 'memory', status: 'up' },
  })

  await executor.complete(address)
  expect(() => executor.nextMessage(address)).toThrow(expect.objectContaining({ code: 'SUBSCRIPTION_NOT_FOUND' }))
  expect(executor.metrics()).toMatchObject({
    connections: { active: 0, total: 1 },
    subscriptions: { active: 0, total: 1, byTenant: {} },
    groups: { active: 0 },
  })
  await executor.dispose()
})
