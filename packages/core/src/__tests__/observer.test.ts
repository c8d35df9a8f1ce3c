import { expect, test, vi } from 'vitest'
import { fromChannel } from '../channel/from-channel.ts'
import type { ExecutorObserver } from '../executor-observer.ts'
import { HandSource } from '../subscription/__tests__/hand-source.ts'
import { alice, bob, deferred, schemaOf, serve, take } from './service.ts'

const query = 'subscription { changed }'

/** Writes down what it is told. */
function recorder(): { observer: ExecutorObserver; told: Record<keyof ExecutorObserver, number[]> } {
  const told: Record<keyof ExecutorObserver, number[]> = {
    executed: [],
    serialized: [],
    delivered: [],
    firstDelivered: [],
  }
  const observer: ExecutorObserver = {
    executed: (value) => told.executed.push(value),
    serialized: (value) => told.serialized.push(value),
    delivered: (value) => told.delivered.push(value),
    firstDelivered: (value) => told.firstDelivered.push(value),
  }
  return { observer, told }
}

const counts = (told: Record<string, number[]>): unknown =>
  Object.fromEntries(Object.entries(told).map(([kind, values]) => [kind, values.length]))

test('an observer is told once per group and event, and once in the life of a subscription', async () => {
  const schema = schemaOf('changed: Json', { changed: fromChannel({ channel: 'c', share: 'tenant' }) })
  const { subscribe, publish, executor } = serve(schema, { eventContext: () => ({}) })
  const { observer, told } = recorder()
  const stop = executor.observe(observer)
  const streams = []
  for (let n = 0; n < 300; n += 1) streams.push(await subscribe(query, { tenantId: 't', userId: `user ${n}` }))
  await publish('c', 'x'.repeat(100))
  await publish('c', 'y')
  for (const stream of streams) await take(stream)
  expect(counts(told)).toEqual({ executed: 2, serialized: 2, delivered: 2, firstDelivered: 300 })
  expect(told.serialized).toEqual([100 + '{"data":{"changed":""}}'.length, '{"data":{"changed":"y"}}'.length])
  for (const values of Object.values(told)) for (const value of values) expect(value).toBeGreaterThanOrEqual(0)

  streams.push(await subscribe(query))
  await publish('c', 'z')
  expect(counts(told)).toEqual({ executed: 3, serialized: 3, delivered: 3, firstDelivered: 301 })
  stop()
  stop()
  await publish('c', 'z')
  expect(counts(told)).toEqual({ executed: 3, serialized: 3, delivered: 3, firstDelivered: 301 })
})

test('the first event of a subscription is the first that reaches it: for its user, and after it began', async () => {
  const gate = deferred()
  const schema = schemaOf('changed: Json', {
    changed: fromChannel({ channel: 'c', share: 'tenant', resolve: (data) => gate.promise.then(() => data) }),
  })
  const { subscribe, publish, executor } = serve(schema, { eventContext: () => ({}) })
  const { observer, told } = recorder()
  executor.observe(observer)
  const first = await subscribe(query, bob)
  await publish('c', 1, { userId: 'bob' })
  const late = [await subscribe(query, bob), await subscribe(query, alice), await subscribe(query, alice)]
  gate.resolve()
  await take(first)
  expect(told.firstDelivered).toHaveLength(1)
  await publish('c', 2, { userId: 'alice' })
  for (const stream of late.slice(1)) await take(stream)
  expect(told.firstDelivered).toHaveLength(3)
  await late[2]?.return(undefined)
  await publish('c', 3)
  for (const stream of late.slice(0, 2)) await take(stream)
  expect(told.firstDelivered).toHaveLength(4)
})

test('a subscription whose source is no channel is observed too, and what is withheld is not', async () => {
  const source = new HandSource()
  const schema = schemaOf('foreign: Json hidden: Json', {
    foreign: { subscribe: () => source, resolve: (data: unknown) => data },
    hidden: fromChannel({ channel: 'c', filter: () => false }),
  })
  const { subscribe, publish, executor } = serve(schema)
  const { observer, told } = recorder()
  executor.observe(observer)
  const stream = await subscribe('subscription { foreign }')
  await subscribe('subscription { hidden }')
  await publish('c', 1)
  for (const value of [1, 2]) {
    source.send(value)
    await take(stream)
  }
  expect(counts(told)).toMatchObject({ executed: 2, firstDelivered: 1 })
  expect(executor.metrics().events.filteredByReason).toEqual({ type: 0, match: 0, user: 0, filter: 1 })
})

test('an observer that throws is reported, and stops neither an event nor another observer', async () => {
  const schema = schemaOf('changed: Json', { changed: fromChannel({ channel: 'c' }) })
  const { subscribe, publish, executor, errors } = serve(schema)
  const failure = new Error('no registry')
  executor.observe({
    delivered: () => {
      throw failure
    },
  })
  const { observer, told } = recorder()
  executor.observe(observer)
  const stream = await subscribe(query)
  await publish('c', 1)
  expect(await take(stream)).toEqual({ data: { changed: 1 } })
  expect(told.delivered).toHaveLength(1)
  expect(errors).toEqual([failure])
})

test('why subscriptions ended and were refused is counted', async () => {
  const source = new HandSource()
  const schema = schemaOf('changed: Json foreign: Json failing: Json', {
    changed: fromChannel({ channel: 'c' }),
    foreign: { subscribe: () => source, resolve: (data: unknown) => data },
    failing: {
      subscribe: () => {
        throw new Error('no')
      },
    },
  })
  const { subscribe, attempt, publish, executor } = serve(schema, { overflow: { maxPendingCount: 1 } })
  const left = await subscribe(query)
  const abandoned = await subscribe(query)
  const slow = await subscribe(query)
  const foreign = await subscribe('subscription { foreign }')
  await left.return(undefined)
  abandoned.abandon('REVOKED')
  for (const n of [1, 2]) await publish('c', n)
  await expect(take(slow)).rejects.toMatchObject({ extensions: { code: 'SLOW_CONSUMER' } })
  const failing = foreign.next()
  await vi.waitFor(() => expect(source.pullCount).toBe(1))
  source.fail(new Error('gone'))
  await expect(failing).rejects.toThrow('gone')
  await attempt(query, null)
  await attempt('subscription { failing }')
  await subscribe(query)
  await executor.drain()
  await attempt(query)
  expect(executor.metrics().subscriptions).toMatchObject({
    active: 0,
    total: 5,
    ended: { byReason: { client: 1, REVOKED: 1, SLOW_CONSUMER: 1, source: 1, complete: 1 } },
    refused: { byCode: { UNAUTHENTICATED: 1, BAD_SUBSCRIPTION: 1, DRAINING: 1 } },
  })
})
