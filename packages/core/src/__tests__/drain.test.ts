import { describe, expect, test, vi } from 'vitest'
import { memoryBus } from '../bus/memory-bus.ts'
import { fromChannel } from '../channel/from-channel.ts'
import { createSubscriptionExecutor } from '../executor.ts'
import { SubscriptionSet } from '../subscription/subscription-set.ts'
import {
  areTimersBackAt,
  codesOf,
  deferred,
  never,
  nextTurn,
  schemaOf,
  serve,
  take,
  timerCount,
  valuesOf,
} from './service.ts'
import { tappedBus } from './tapped-bus.ts'

const query = 'subscription { changed }'
const done = { done: true, value: undefined }
const schema = schemaOf('changed: Json', { changed: fromChannel({ channel: 'c' }) })

describe('drain', () => {
  test('delivers what was published, then ends the streams with complete', async () => {
    const slow = schemaOf('changed: Json', {
      changed: fromChannel({
        channel: 'c',
        resolve: async (data) => {
          await nextTurn()
          return data
        },
      }),
    })
    const { subscribe, publish, received, executor } = serve(slow)
    const streams = [await subscribe(query), await subscribe(query)]
    for (const n of [1, 2, 3]) void publish('c', n)
    expect((await received(...streams)).map((results) => valuesOf(results))).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ])
    expect(executor.metrics()).toMatchObject({ subscriptions: { active: 0 }, groups: { active: 0 } })
  })

  test('refuses new subscriptions with DRAINING from the moment it is called', async () => {
    const { attempt, executor } = serve(schema)
    const draining = executor.drain()
    expect(codesOf(await attempt(query))).toEqual(['DRAINING'])
    await draining
    expect(codesOf(await attempt(query))).toEqual(['DRAINING'])
  })

  test('refuses a subscription that was being started with DRAINING, and leaves nothing of it', async () => {
    const acknowledged = deferred()
    const bus = tappedBus()
    const subscribe: typeof bus.subscribe = async (...args) => {
      await acknowledged.promise
      return bus.subscribe(...args)
    }
    const { attempt, executor } = serve(schema, { bus: { ...bus, subscribe } })
    const outcome = attempt(query)
    await nextTurn()
    await executor.drain()
    acknowledged.resolve()
    expect(codesOf(await outcome)).toEqual(['DRAINING'])
    await nextTurn()
    expect(bus.inner.stats().listenerCount).toBe(0)
    expect(executor.metrics().subscriptions.active).toBe(0)
  })

  test('waits no longer than timeoutMs for executions that hang', async () => {
    const { subscribe, publish, executor } = serve(
      schemaOf('changed: Json', { changed: fromChannel({ channel: 'c', resolve: () => never() }) }),
      { executionTimeoutMs: 100 },
    )
    const stream = await subscribe(query)
    await publish('c', 1)
    await executor.drain({ timeoutMs: 10 })
    expect(await stream.next()).toEqual(done)
  })

  test('is idempotent, and publishing still works', async () => {
    const { executor, publish } = serve(schema)
    await Promise.all([executor.drain(), executor.drain()])
    await publish('c', 1)
    expect(executor.metrics().events.published).toBe(1)
  })
})

describe('dispose', () => {
  test('leaves nothing: no subscription, no registration, no listener, no timer, and a closed bus', async () => {
    const before = timerCount()
    const { subscribe, publish, executor, bus } = serve(schema)
    const stream = await subscribe(query)
    const pending = stream.next()
    const address = { connectionId: 'c', subscriptionId: 's' }
    await executor.register({ ...address, query, tenantId: 'other' })
    await executor.dispose()
    expect(await pending).toEqual(done)
    expect(() => executor.nextMessage(address)).toThrow(expect.objectContaining({ code: 'SUBSCRIPTION_NOT_FOUND' }))
    expect(executor.metrics()).toMatchObject({
      connections: { active: 0 },
      subscriptions: { active: 0, byTenant: {} },
      groups: { active: 0 },
      bus: { status: 'closed' },
    })
    expect(bus.stats()).toMatchObject({ listenerCount: 0, channelCount: 0 })
    expect(await areTimersBackAt(before)).toBe(true)
    await expect(publish('c', 1)).rejects.toMatchObject({ code: 'BUS_CLOSED' })
  })

  test('ends an iterated registration after the message that waited for it', async () => {
    const { executor, publish } = serve(schema)
    const registration = await executor.register({ connectionId: 'c', subscriptionId: 's', query, tenantId: 't' })
    const iterator = registration[Symbol.asyncIterator]()
    const first = iterator.next()
    await publish('c', 1)
    await executor.dispose()
    expect(String((await first).value)).toContain('{"changed":1}')
    expect(await iterator.next()).toEqual(done)
  })

  test('is idempotent, closes the bus once and is what "await using" calls', async () => {
    const bus = memoryBus()
    const close = vi.fn(bus.close)
    const executor = createSubscriptionExecutor({ schema, bus: { ...bus, close } })
    await Promise.all([executor.dispose(), executor.dispose()])
    await executor[Symbol.asyncDispose]()
    expect(close).toHaveBeenCalledTimes(1)
  })

  test('stops observing the bus', async () => {
    const stop = vi.fn()
    const bus = { ...memoryBus(), observe: () => stop }
    await createSubscriptionExecutor({ bus }).dispose()
    expect(stop).toHaveBeenCalledTimes(1)
  })

  test('does not wait for a bus that never acknowledged a subscription', async () => {
    const { attempt, executor } = serve(schema, {
      bus: tappedBus({ subscribe: () => never() }),
      subscribeTimeoutMs: 50,
    })
    const outcome = attempt(query)
    await nextTurn()
    await executor.dispose()
    expect(codesOf(await outcome)).toEqual(['BUS_UNAVAILABLE'])
  })
})

test('a host ends the subscriptions of its own set and no others', async () => {
  const running = new SubscriptionSet()
  const served = serve(
    schemaOf('changed: Json foreign: Json', {
      changed: fromChannel({ channel: 'c' }),
      foreign: {
        async *subscribe() {
          yield await never<number>()
        },
      },
    }),
  )
  const mine = [
    await served.subscribe(query, undefined, { how: { running } }),
    await served.subscribe('subscription { foreign }', undefined, { how: { running } }),
  ]
  const left = await served.subscribe(query, undefined, { how: { running } })
  const other = await served.subscribe(query)
  await left.return(undefined)
  expect(running.size).toBe(2)
  const nexts = mine.map((stream) => stream.next())
  running.endAll()
  expect(await Promise.all(nexts)).toEqual([done, done])
  expect(running.size).toBe(0)
  await served.publish('c', 1)
  expect(await take(other)).toEqual({ data: { changed: 1 } })
})
