import { describe, expect, test, vi } from 'vitest'
import { nextTurn, readAll, schemaOf, serve, type Service, take, valuesOf } from '../../__tests__/service.ts'
import type { SubscriptionExecutorOptions } from '../../options.ts'
import { HandSource } from './hand-source.ts'

type Context = Record<string, unknown>

function service(
  source: unknown,
  resolve: (data: unknown, context: Context) => unknown = (data) => data,
  options?: SubscriptionExecutorOptions,
): Service {
  const field = {
    subscribe: () => source,
    resolve: (data: unknown, _args: unknown, context: unknown) => resolve(data, context as Context),
  }
  return serve(schemaOf('changed: Json', { changed: field }), options)
}

const query = 'subscription { changed }'

function expectNothingLeft({ executor }: Service): void {
  expect(executor.metrics()).toMatchObject({
    subscriptions: { active: 0, byTenant: {} },
    groups: { unshared: { byReason: {} } },
  })
}

describe('a source that is not a channel', () => {
  test('is executed for each of its events, on its own', async () => {
    const generate = async function* () {
      yield 1
      yield { two: 2 }
    }
    const served = service(generate())
    const stream = await served.subscribe(query)
    expect(served.executor.metrics()).toMatchObject({
      subscriptions: { active: 1, byTenant: { t: 1 } },
      groups: { active: 0, unshared: { byReason: { source: 1 } } },
    })
    expect(valuesOf(await readAll(stream))).toEqual([1, { two: 2 }])
    expect(served.executor.metrics()).toMatchObject({ executions: 2, events: { received: 2, delivered: 2 } })
    expectNothingLeft(served)
  })

  test('gets a fresh copy of its context for each event', async () => {
    const generate = async function* () {
      yield 1
      yield 2
    }
    const seen = (_data: unknown, context: Context) => {
      const before = context['seen'] ?? 'nothing'
      context['seen'] = 'something'
      return before
    }
    const context = { loaders: {} }
    const served = service(generate(), seen)
    expect(valuesOf(await readAll(await served.subscribe(query, undefined, { context })))).toEqual([
      'nothing',
      'nothing',
    ])
    expect(context).toEqual({ loaders: {} })
  })

  test('gets what eventContext builds from the event and its own context', async () => {
    const generate = async function* () {
      yield 1
    }
    const eventContext = vi.fn(() => ({ built: true }))
    const served = service(generate(), (_data, context) => context, { eventContext })
    const stream = await served.subscribe(query, undefined, { context: { mine: 1 } })
    expect(valuesOf(await readAll(stream))).toEqual([{ built: true }])
    expect(eventContext).toHaveBeenCalledExactlyOnceWith({
      scope: { tenantId: 't', userId: 'alice' },
      event: { data: 1 },
      initialContext: expect.objectContaining({ mine: 1 }),
    })
  })

  test('answers concurrent next() calls in the order of its events', async () => {
    const source = new HandSource()
    const levers: (() => void)[] = []
    const slowly = (data: unknown) => new Promise((resolve) => levers.push(() => resolve(data)))
    const served = service(source, slowly)
    const stream = await served.subscribe(query)
    const nexts = [stream.next(), stream.next(), stream.next()]
    source.send(1)
    source.send(2)
    for (const pulls of [1, 2]) {
      await nextTurn()
      expect([levers.length, source.pullCount]).toEqual([1, pulls])
      levers.pop()?.()
    }
    await nextTurn()
    source.finish()
    expect(await Promise.all(nexts)).toEqual([
      { done: false, value: { data: { changed: 1 } } },
      { done: false, value: { data: { changed: 2 } } },
      { done: true, value: undefined },
    ])
    expectNothingLeft(served)
  })

  test('that fails half-way rejects next() with its own error, once, and is done', async () => {
    const failure = new Error('connection lost')
    const generate = async function* () {
      yield 1
      throw failure
    }
    const served = service(generate())
    const stream = await served.subscribe(query)
    await take(stream)
    const nexts = await Promise.allSettled([stream.next(), stream.next(), stream.next()])
    const done = { status: 'fulfilled', value: { done: true, value: undefined } }
    expect(nexts).toEqual([{ status: 'rejected', reason: failure }, done, done])
    expect(await stream.next()).toEqual(done.value)
    expectNothingLeft(served)
  })

  test('whose next() throws at once, or gives no result, ends its own subscription alone', async () => {
    const throwing = () => {
      throw new Error('broken')
    }
    for (const next of [throwing, () => undefined, () => 'no result']) {
      const served = service({ [Symbol.asyncIterator]: () => ({ next }) })
      const stream = await served.subscribe(query)
      await stream.next().catch(() => undefined)
      await stream.return(undefined)
      expect(await stream.next()).toEqual({ done: true, value: undefined })
      expectNothingLeft(served)
    }
  })

  test('is released if the masking of its results fails', async () => {
    const source = new HandSource()
    const failing = () => {
      throw new Error('no orders')
    }
    const served = service(source, failing)
    const stream = await served.subscribe(query, undefined, {
      how: {
        maskResult: () => {
          throw new Error('the masker is broken')
        },
      },
    })
    const next = stream.next()
    source.send(1)
    await expect(next).rejects.toThrow('the masker is broken')
    expect(await stream.next()).toEqual({ done: true, value: undefined })
    expect(source.returnCount).toBe(1)
    expectNothingLeft(served)
  })
})
