import type { ExecutionResult } from 'graphql'
import { describe, expect, test } from 'vitest'
import {
  alice,
  bob,
  deferred,
  never,
  nextTurn,
  readAll,
  schemaOf,
  serve,
  take,
  valuesOf,
} from '../../__tests__/service.ts'
import { fromChannel } from '../../channel/from-channel.ts'
import type { OverflowPolicy } from '../../delivery/overflow.ts'
import type { ResponseStream } from '../../delivery/response-stream.ts'

const schema = schemaOf('changed(hang: Boolean): Json', {
  changed: fromChannel({ channel: 'c', share: 'tenant', resolve: (data, { hang }) => (hang ? never() : data) }),
})
const eventContext = () => ({})
const query = 'subscription { changed }'
const eventCount = 10_000

function service(policy: OverflowPolicy, maxPendingCount = 100, maxPendingEvents = 50) {
  return serve(schema, { eventContext, overflow: { policy, maxPendingCount }, maxPendingEvents })
}

function publishAtOnce({ publish }: ReturnType<typeof service>): Promise<unknown> {
  return Promise.all(Array.from({ length: eventCount }, (_, n) => publish('c', n)))
}

interface Told {
  readonly values: number[]
  /** The values whose results carry a gap. */
  readonly gaps: number[]
}

function told(results: readonly ExecutionResult[]): Told {
  const values = valuesOf(results) as number[]
  const gaps = results.filter(({ extensions }) => extensions !== undefined)
  for (const { extensions } of gaps) expect(extensions).toEqual({ sluice: { gap: { reason: 'overflow' } } })
  return { values, gaps: valuesOf(gaps) as number[] }
}

/** Events are numbered from 0. */
function expectGapsWhereEventsAreMissing(results: readonly ExecutionResult[]): void {
  const { values, gaps } = told(results)
  expect(gaps).toEqual(values.filter((value, index) => value !== (values[index - 1] ?? -1) + 1))
}

/** Whether everything that was accepted has been executed. */
function isAsleep({ executor }: ReturnType<typeof service>): boolean {
  const { executions, events, queued } = executor.metrics()
  return events.delivered === executions && events.received === eventCount && queued.events === 0
}

async function endOf(stream: ResponseStream): Promise<{ results: ExecutionResult[]; error: unknown }> {
  const results: ExecutionResult[] = []
  try {
    for await (const result of stream) results.push(result)
    return { results, error: undefined }
  } catch (error) {
    return { results, error }
  }
}

describe('10,000 events published in one tick', () => {
  test('end a subscription that does not read with SLOW_CONSUMER, once, and then it is done', async () => {
    const served = service('disconnect')
    const stream = await served.subscribe(query)
    await publishAtOnce(served)
    const { results, error } = await endOf(stream)
    expect(results.length).toBeLessThanOrEqual(100)
    expect(error).toMatchObject({ extensions: { code: 'SLOW_CONSUMER' }, originalError: undefined })
    expect(await stream.next()).toEqual({ done: true, value: undefined })
    expect(served.executor.metrics()).toMatchObject({
      subscriptions: { active: 0 },
      groups: { active: 0 },
      errors: { byCode: { SLOW_CONSUMER: 1 } },
    })
  })

  test('leave the newest with dropOldest', async () => {
    const served = service('dropOldest')
    const stream = await served.subscribe(query)
    await publishAtOnce(served)
    await served.executor.drain()
    const results = await readAll(stream)
    expect(results.length).toBeLessThanOrEqual(100)
    const { values } = told(results)
    expect(values.slice(-50)).toEqual(Array.from({ length: 50 }, (_, index) => eventCount - 50 + index))
    expectGapsWhereEventsAreMissing(results)
  })

  test('leave the oldest with dropNewest; the next one says that there is a gap, once', async () => {
    const served = service('dropNewest')
    const stream = await served.subscribe(query)
    await publishAtOnce(served)
    while (!isAsleep(served)) await nextTurn()
    const count = Math.min(100, eventCount - served.executor.metrics().events.dropped)
    const results: ExecutionResult[] = []
    for (let read = 0; read < count; read += 1) results.push(await take(stream))
    const next = take(stream)
    await served.publish('c', eventCount)
    results.push(await next)
    await served.publish('c', eventCount + 1)
    results.push(await take(stream))
    const { values } = told(results)
    expect(values.slice(0, 5)).toEqual([0, 1, 2, 3, 4])
    expect(values.slice(-2)).toEqual([eventCount, eventCount + 1])
    expectGapsWhereEventsAreMissing(results)
  })

  test.each([['dropOldest'], ['dropNewest']] as [OverflowPolicy][])(
    'are counted to the last one with %s',
    async (policy) => {
      const served = service(policy)
      const stream = await served.subscribe(query)
      await publishAtOnce(served)
      await served.executor.drain()
      const { results } = await endOf(stream)
      const { published, received, dropped } = served.executor.metrics().events
      expect({ published, received }).toEqual({ published: eventCount, received: eventCount })
      expect(results.length + dropped).toBe(eventCount)
    },
  )

  test('reach a sink as far as the group can execute them, which is bounded too', async () => {
    const served = service('dropNewest')
    const stream = await served.subscribe(query)
    const results: ExecutionResult[] = []
    stream.pushTo({ next: ({ result }) => results.push(result), complete: () => undefined, error: () => undefined })
    await publishAtOnce(served)
    await served.executor.drain()
    expectGapsWhereEventsAreMissing(results)
    expect(results.length + served.executor.metrics().events.dropped).toBe(eventCount)
  })
})

test('10,000 awaited publishes lose nothing for readers who keep up', async () => {
  const served = service('disconnect', 1024, 256)
  const streams = [await served.subscribe(query), await served.subscribe(query, bob)]
  const reading = streams.map(async (stream) => {
    const values: unknown[] = []
    while (values.length < eventCount) values.push((await take(stream)).data?.['changed'])
    return values
  })
  for (let n = 0; n < eventCount; n += 1) await served.publish('c', n)
  const all = Array.from({ length: eventCount }, (_, n) => n)
  for (const values of await Promise.all(reading)) expect(values).toEqual(all)
  expect(served.executor.metrics().events.dropped).toBe(0)
})

describe('a group whose resolver hangs', () => {
  const hanging = 'subscription { changed(hang: true) }'

  test('ends with SLOW_CONSUMER when maxPendingEvents wait, in that group alone', async () => {
    const served = service('disconnect', 1024, 5)
    const hangs = await served.subscribe(hanging)
    const goes = await served.subscribe(query)
    const end = endOf(hangs)
    for (let n = 0; n < 6; n += 1) await served.publish('c', n)
    expect(served.executor.metrics().subscriptions.active).toBe(2)
    await served.publish('c', 6)
    expect(await end).toEqual({
      results: [],
      error: expect.objectContaining({ extensions: { code: 'SLOW_CONSUMER' } }),
    })
    expect(served.executor.metrics()).toMatchObject({
      subscriptions: { active: 1 },
      errors: { byCode: { SLOW_CONSUMER: 1 } },
    })
    for (let n = 0; n < 7; n += 1) expect(await take(goes)).toEqual({ data: { changed: n } })
  })

  test.each([
    ['dropOldest', [0, 8, 9], [8]],
    ['dropNewest', [0, 1, 2, 10], [10]],
  ] as [OverflowPolicy, number[], number[]][])(
    'drops waiting events with %s, and says so',
    async (policy, values, gaps) => {
      const started = deferred()
      const resolve = async (data: unknown) => {
        await started.promise
        return data
      }
      const { subscribe, publish, received } = serve(
        schemaOf('changed: Json', { changed: fromChannel({ channel: 'c', share: 'tenant', resolve }) }),
        { eventContext, overflow: { policy }, maxPendingEvents: 2 },
      )
      const streams = [await subscribe(query, alice), await subscribe(query, bob)]
      for (let n = 0; n < 10; n += 1) await publish('c', n)
      const late = await subscribe(query, bob)
      started.resolve()
      await nextTurn()
      if (policy === 'dropNewest') await publish('c', 10)
      const [first, second, third] = await received(...streams, late)
      expect(told(first ?? [])).toEqual({ values, gaps })
      expect(told(second ?? [])).toEqual({ values, gaps })
      expect(told(third ?? [])).toEqual({ values: policy === 'dropNewest' ? [10] : [], gaps: [] })
    },
  )

  test('with room for one event only tells those who missed one, and nobody else', async () => {
    const started = deferred()
    const resolve = (data: unknown) => (data === 0 ? started.promise.then(() => 0) : data)
    const { subscribe, publish, received } = serve(
      schemaOf('changed: Json', { changed: fromChannel({ channel: 'c', share: 'tenant', resolve }) }),
      { eventContext, overflow: { policy: 'dropOldest' }, maxPendingEvents: 1 },
    )
    const early = await subscribe(query)
    await publish('c', 0)
    await publish('c', 1)
    const late = await subscribe(query, bob)
    await publish('c', 2)
    const latest = await subscribe(query, bob)
    started.resolve()
    await nextTurn()
    await publish('c', 3)
    const [first, second, third] = await received(early, late, latest)
    expect(told(first ?? [])).toEqual({ values: [0, 2, 3], gaps: [2] })
    expect(told(second ?? [])).toEqual({ values: [2, 3], gaps: [] })
    expect(told(third ?? [])).toEqual({ values: [3], gaps: [] })
  })
})
