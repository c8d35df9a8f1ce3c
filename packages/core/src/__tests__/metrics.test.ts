import { expect, test } from 'vitest'
import { fromChannel } from '../channel/from-channel.ts'
import { HandSource } from '../subscription/__tests__/hand-source.ts'
import { alice, bob, deferred, never, schemaOf, serve, take } from './service.ts'

const query = 'subscription { changed }'

test('500 subscriptions of one tenant: 1 execution, 1 serialisation, 500 deliveries; of two tenants: 2 and 2', async () => {
  const schema = schemaOf('changed: Json', { changed: fromChannel({ channel: 'c', share: 'tenant' }) })
  const { subscribe, publish, executor } = serve(schema, { eventContext: () => ({}) })
  const streams = []
  for (let n = 0; n < 500; n += 1) streams.push(await subscribe(query, { tenantId: 't', userId: `user ${n}` }))
  await publish('c', 1)
  for (const stream of streams) await take(stream)
  expect(executor.metrics()).toMatchObject({
    subscriptions: { active: 500, total: 500, byTenant: { t: 500 } },
    groups: { active: 1, unshared: { byReason: {} } },
    events: { published: 1, received: 1, delivered: 500, filtered: 0, dropped: 0 },
    executions: 1,
    serializations: 1,
  })
  for (let n = 0; n < 500; n += 1) streams.push(await subscribe(query, { tenantId: 'other' }))
  await publish('c', 2)
  await publish('c', 2, { tenantId: 'other' })
  for (const stream of streams) await take(stream)
  expect(executor.metrics()).toMatchObject({
    groups: { active: 2 },
    executions: 3,
    serializations: 3,
    events: { delivered: 1500 },
  })
})

test('every figure is what happened', async () => {
  const source = new HandSource()
  const schema = schemaOf('changed: Json typed: Json foreign: Json', {
    changed: fromChannel({ channel: 'c', share: 'user' }),
    typed: fromChannel({ channel: 'c', types: ['rare'] }),
    foreign: { subscribe: () => source, resolve: (data: unknown) => data },
  })
  const { subscribe, attempt, publish, executor } = serve(schema, { eventContext: () => ({}) })
  const closed = executor.openConnection()
  const streams = [
    await subscribe(query, alice),
    await subscribe(query, alice),
    await subscribe(query, bob),
    await subscribe('subscription { typed }', alice),
    await subscribe('subscription { foreign }', alice),
  ]
  await attempt(query, null)
  await publish('c', 1)
  await publish('c', 2, { userId: 'bob' })
  await publish('nobody listens', 3)
  await executor.publisher(alice).publish({ channel: 'c', type: 'rare', data: 4 })
  await expect(
    executor.publisher(alice).publish({ tenantId: 'u', channel: 'c', type: 'x', data: 5 } as never),
  ).rejects.toMatchObject({ code: 'FORBIDDEN' })
  await expect(publish('', 6)).rejects.toMatchObject({ code: 'BAD_EVENT' })
  const snapshot = executor.metrics()
  expect(snapshot).toEqual({
    connections: { active: 1, total: 1 },
    subscriptions: {
      active: 5,
      total: 5,
      byTenant: { t: 5 },
      ended: { byReason: {} },
      refused: { byCode: { UNAUTHENTICATED: 1 } },
    },
    groups: { active: 3, unshared: { byReason: { subscriber: 1, source: 1 } } },
    events: {
      published: 4,
      received: 3,
      delivered: 3 + 1 + 4,
      filtered: 1 + 2 + 0,
      filteredByReason: { type: 1, match: 0, user: 2, filter: 0 },
      dropped: 0,
      gaps: 0,
    },
    // What the readers who pull have not taken.
    queued: { events: 0, responses: 3 + 1 + 4 },
    executions: 2 + 1 + 3,
    serializations: expect.any(Number),
    errors: { byCode: { UNAUTHENTICATED: 1, BAD_EVENT: 1 } },
    security: {
      // 6 scopes, 3 groups for each of 3 events, 2 scoped publishes
      checks: 6 + 9 + 2,
      passed: 5 + 3 + 1 + 3 + 1,
      rejected: { tenant: 1, user: 2, scope: 1 },
    },
    bus: { name: 'memory', status: 'up' },
  })
  expect(JSON.parse(JSON.stringify(snapshot))).toEqual(snapshot)
  for (const stream of streams) await stream.return(undefined)
  closed()
  closed()
  expect(executor.metrics()).toMatchObject({
    connections: { active: 0, total: 1 },
    subscriptions: { active: 0, total: 5, byTenant: {}, ended: { byReason: { client: 5 } } },
    queued: { events: 0, responses: 0 },
    groups: { active: 0, unshared: { byReason: {} } },
  })
  expect(snapshot.subscriptions.active).toBe(5)
})

test('tenants are counted under whatever name they have', async () => {
  const { subscribe, executor } = serve(schemaOf('changed: Json', { changed: fromChannel({ channel: 'c' }) }))
  for (const tenantId of ['__proto__', 'constructor', '__proto__']) await subscribe(query, { tenantId })
  expect(Object.entries(executor.metrics().subscriptions.byTenant)).toEqual([
    ['__proto__', 2],
    ['constructor', 1],
  ])
})

test('a group that an event overruns is not counted as filtered', async () => {
  const schema = schemaOf('changed: Json hangs: Json', {
    changed: fromChannel({ channel: 'c' }),
    hangs: fromChannel({ channel: 'c', resolve: () => never() }),
  })
  const { subscribe, publish, executor } = serve(schema, { maxPendingEvents: 1, executionTimeoutMs: 50 })
  await subscribe(query)
  await subscribe('subscription { hangs }')
  for (const n of [1, 2, 3]) await publish('c', n)
  expect(executor.metrics()).toMatchObject({
    subscriptions: { active: 1 },
    events: { received: 3, delivered: 3, filtered: 0, dropped: 1 },
    errors: { byCode: { SLOW_CONSUMER: 1 } },
  })
})

test('what transports report is counted', async () => {
  const errors = deferred<unknown>()
  const { executor } = serve(schemaOf('changed: Json', {}), { onError: errors.resolve })
  executor.recordSlowConsumer()
  executor.recordDropped(3)
  executor.reportError(new Error('socket'))
  expect(executor.metrics()).toMatchObject({
    events: { dropped: 3 },
    errors: { byCode: { SLOW_CONSUMER: 1, UNKNOWN: 1 } },
  })
  expect(await errors.promise).toEqual(new Error('socket'))
})
