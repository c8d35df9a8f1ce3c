import { expect, test } from 'vitest'
import { alice, bob, deferred, nextTurn, schemaOf, serve, take, valuesOf } from '../../__tests__/service.ts'
import { tappedBus } from '../../__tests__/tapped-bus.ts'
import { fromChannel } from '../../channel/from-channel.ts'

const shared = schemaOf('changed: Json', { changed: fromChannel({ channel: 'c', share: 'tenant' }) })
const eventContext = () => ({})
const query = 'subscription { changed }'

test('a subscription gets everything from the moment its subscribe resolved, and nothing from before', async () => {
  const { subscribe, publish, received } = serve(shared, { eventContext })
  const first = await subscribe(query)
  await publish('c', 1)
  const second = await subscribe(query)
  await publish('c', 2)
  expect((await received(first, second)).map((list) => valuesOf(list))).toEqual([[1, 2], [2]])
})

test('an event that is published while the bus has not acknowledged yet is not missed after it has', async () => {
  const acknowledged = deferred()
  const bus = tappedBus()
  const slow = tappedBus({
    subscribe: async (...args) => {
      await acknowledged.promise
      return bus.subscribe(...args)
    },
    publish: (event) => bus.publish(event),
  })
  const { subscribe, publish } = serve(shared, { eventContext, bus: slow })
  const subscribing = subscribe(query)
  await publish('c', 'before')
  acknowledged.resolve()
  const stream = await subscribing
  await publish('c', 'after')
  expect(await take(stream)).toEqual({ data: { changed: 'after' } })
})

test('who joins while an event is executed does not get it; who was there does, once', async () => {
  const executed = deferred<string>()
  const resolve = (data: unknown) => (data === 'slow' ? executed.promise : data)
  const { subscribe, publish, received } = serve(
    schemaOf('changed: Json', { changed: fromChannel({ channel: 'c', share: 'tenant', resolve }) }),
    { eventContext },
  )
  const early = await subscribe(query)
  const leaver = await subscribe(query)
  await publish('c', 'slow')
  const late = await subscribe(query, bob)
  await publish('c', 'next')
  await leaver.return(undefined)
  executed.resolve('slow')
  expect((await received(early, late, leaver)).map((list) => valuesOf(list))).toEqual([['slow', 'next'], ['next'], []])
})

test('the last one that leaves in the middle of an execution leaves nothing; a new group begins afresh', async () => {
  const executions = [deferred<string>(), deferred<string>()]
  let next = 0
  const resolve = () => {
    next += 1
    return executions[next - 1]?.promise
  }
  const { subscribe, publish, executor, bus } = serve(
    schemaOf('changed: Json', { changed: fromChannel({ channel: 'c', share: 'tenant', resolve }) }),
    { eventContext },
  )
  const first = await subscribe(query)
  await publish('c', 1)
  await publish('c', 'never executed')
  await first.return(undefined)
  expect(executor.metrics().groups.active).toBe(0)
  expect(bus.stats().listenerCount).toBe(0)
  const second = await subscribe(query)
  await publish('c', 2)
  executions[1]?.resolve('second')
  expect(await take(second)).toEqual({ data: { changed: 'second' } })
  executions[0]?.resolve('first')
  await nextTurn()
  expect(executor.metrics()).toMatchObject({ executions: 2, events: { delivered: 1 } })
})

test('an event for one user is executed once, and goes to that user’s subscriptions alone', async () => {
  const { subscribe, publish, received, executor } = serve(shared, { eventContext })
  const streams = [
    await subscribe(query, alice),
    await subscribe(query, bob),
    await subscribe(query, alice),
    await subscribe(query, { tenantId: 't' }),
    await subscribe(query, { ...alice, tenantId: 'other' }),
  ]
  await publish('c', 'for alice', { userId: 'alice' })
  await publish('c', 'for nobody', { userId: 'carol' })
  await publish('c', 'for all')
  expect(executor.metrics()).toMatchObject({ executions: 2, events: { delivered: 6 } })
  expect((await received(...streams)).map((list) => valuesOf(list))).toEqual([
    ['for alice', 'for all'],
    ['for all'],
    ['for alice', 'for all'],
    ['for all'],
    [],
  ])
})

test('an event for a user who left meanwhile is not executed any more', async () => {
  const { subscribe, publish, executor } = serve(shared, { eventContext })
  const mine = await subscribe(query, alice)
  await subscribe(query, bob)
  await mine.return(undefined)
  await publish('c', 1, { userId: 'alice' })
  expect(executor.metrics()).toMatchObject({ executions: 0, security: { rejected: { user: 1 } } })
})
