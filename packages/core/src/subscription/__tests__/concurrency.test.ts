import { expect, test } from 'vitest'
import { type Deferred, deferred, never, nextTurn, schemaOf, serve, take, valuesOf } from '../../__tests__/service.ts'
import { fromChannel } from '../../channel/from-channel.ts'
import { HandSource } from './hand-source.ts'

test('no more than maxConcurrentExecutions asynchronous executions run at a time, whatever their source', async () => {
  const running: Deferred<void>[] = []
  let most = 0
  const slowly = async (data: unknown) => {
    const finish = deferred()
    running.push(finish)
    most = Math.max(most, running.length)
    await finish.promise
    return data
  }
  const sources: HandSource[] = []
  const schema = schemaOf('changed(n: Int): Json foreign: Json', {
    changed: fromChannel({ channel: 'c', resolve: slowly }),
    foreign: {
      subscribe: () => {
        const source = new HandSource()
        sources.push(source)
        return source
      },
      resolve: slowly,
    },
  })
  const served = serve(schema, { maxConcurrentExecutions: 3 })
  const streams = [
    await served.subscribe('subscription { changed }'),
    await served.subscribe('subscription { changed }'),
    await served.subscribe('subscription { changed }'),
    await served.subscribe('subscription { foreign }'),
    await served.subscribe('subscription { foreign }'),
    await served.subscribe('subscription { foreign }'),
  ]
  const firsts = streams.map(take)
  for (const source of sources) source.send(1)
  await served.publish('c', 1)
  for (let finished = 0; finished < streams.length; finished += 1) {
    await nextTurn()
    expect(running.length).toBe(Math.min(3, streams.length - finished))
    running.shift()?.resolve()
  }
  const results = await Promise.all(firsts)
  expect([...valuesOf(results.slice(0, 3)), ...valuesOf(results.slice(3), 'foreign')]).toEqual([1, 1, 1, 1, 1, 1])
  expect(most).toBe(3)
})

test('an execution that takes too long gives an EXECUTION_TIMEOUT result, and the next event is executed', async () => {
  const source = new HandSource()
  const schema = schemaOf('foreign: Json', {
    foreign: { subscribe: () => source, resolve: (data: unknown) => (data === 'hang' ? never() : data) },
  })
  const { subscribe, errors } = serve(schema, { executionTimeoutMs: 10 })
  const stream = await subscribe('subscription { foreign }')
  source.send('hang')
  source.send('go')
  expect(await take(stream)).toEqual({
    errors: [expect.objectContaining({ extensions: { code: 'EXECUTION_TIMEOUT' }, originalError: undefined })],
    data: null,
  })
  expect(await take(stream)).toEqual({ data: { foreign: 'go' } })
  expect(errors).toEqual([expect.objectContaining({ code: 'EXECUTION_TIMEOUT' })])
})

test('an execution that hangs gives its place to another after executionTimeoutMs', async () => {
  const schema = schemaOf('changed(who: String): Json', {
    changed: fromChannel({ channel: 'c', resolve: (_data, { who }) => (who === 'hangs' ? never() : who) }),
  })
  const { subscribe, publish } = serve(schema, { executionTimeoutMs: 10, maxConcurrentExecutions: 1 })
  const hanging = await subscribe('subscription { changed(who: "hangs") }')
  const going = await subscribe('subscription { changed(who: "goes") }')
  await publish('c', 1)
  expect(await take(going)).toEqual({ data: { changed: 'goes' } })
  expect((await take(hanging)).errors?.[0]?.extensions).toEqual({ code: 'EXECUTION_TIMEOUT' })
})

test('synchronous executions go on while another execution hangs', async () => {
  const schema = schemaOf('hangs: Json changed: Json', {
    hangs: fromChannel({ channel: 'hangs', resolve: () => never() }),
    changed: fromChannel({ channel: 'c' }),
  })
  const { subscribe, publish } = serve(schema, { executionTimeoutMs: 50, maxConcurrentExecutions: 2 })
  const hanging = await subscribe('subscription { hangs }')
  const stream = await subscribe('subscription { changed }')
  await publish('hangs', 1)
  await publish('c', 1)
  expect(await take(stream)).toEqual({ data: { changed: 1 } })
  expect((await take(hanging)).errors).toHaveLength(1)
})

test('a tenant whose resolvers hang has half of the places at most, and the others go on', async () => {
  const started: string[] = []
  const schema = schemaOf('changed(who: ID): Json', {
    changed: fromChannel({
      channel: 'c',
      resolve: async (_data, { who }) => {
        started.push(who)
        return who === 'hangs' ? never() : who
      },
    }),
  })
  const { subscribe, publish, executor } = serve(schema, { maxConcurrentExecutions: 4 })
  for (let count = 0; count < 10; count += 1) await subscribe('subscription { changed(who: "hangs") }')
  const victim = { tenantId: 'victim' }
  const stream = await subscribe('subscription { changed(who: "goes") }', victim)
  await publish('c', 1)
  expect(started).toEqual(['hangs', 'hangs'])
  for (let count = 0; count < 300; count += 1) {
    await publish('c', count, victim)
    expect(await take(stream)).toEqual({ data: { changed: 'goes' } })
  }
  expect(started.filter((who) => who === 'hangs')).toHaveLength(2)
  expect(executor.metrics().subscriptions.active).toBe(11)
})

test('a tenant that is alone has all the places', async () => {
  let concurrent = 0
  const schema = schemaOf('changed: Json', {
    changed: fromChannel({
      channel: 'c',
      resolve: () => {
        concurrent += 1
        return never()
      },
    }),
  })
  const { subscribe, publish } = serve(schema, { maxConcurrentExecutions: 4 })
  for (let count = 0; count < 10; count += 1) await subscribe('subscription { changed }')
  await publish('c', 1)
  expect(concurrent).toBe(4)
})

test('tenants take turns, however many subscriptions one of them has', async () => {
  const order: string[] = []
  const schema = schemaOf('changed: Json', {
    changed: fromChannel({
      channel: 'c',
      resolve: async (_data, _args, { viewer }) => {
        order.push(viewer.tenantId)
        await Promise.resolve()
        return true
      },
    }),
  })
  const { subscribe, publish, received } = serve(schema, { maxConcurrentExecutions: 1 })
  const many = []
  for (let count = 0; count < 20; count += 1)
    many.push(await subscribe('subscription { changed }', { tenantId: 'many' }))
  const few = await subscribe('subscription { changed }', { tenantId: 'few' })
  await Promise.all([publish('c', 1, { tenantId: 'many' }), publish('c', 1, { tenantId: 'few' })])
  await received(...many, few)
  expect(order).toHaveLength(21)
  expect(order.indexOf('few')).toBeLessThan(3)
})
