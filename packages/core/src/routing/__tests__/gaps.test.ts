import { describe, expect, test } from 'vitest'
import { alice, bob, deferred, nextTurn, schemaOf, serve, take } from '../../__tests__/service.ts'
import { somewhere, tappedBus } from '../../__tests__/tapped-bus.ts'
import { fromChannel } from '../../channel/from-channel.ts'
import type { SubscriptionExecutorOptions } from '../../options.ts'

const schema = schemaOf('changed: Json ends: Json signals: Json odd: Json two: Json', {
  changed: fromChannel({ channel: 'c', share: 'tenant' }),
  ends: fromChannel({ channel: 'c', onGap: 'end' }),
  signals: fromChannel({ channel: 'c', onGap: 'signal' }),
  odd: fromChannel({ channel: 'c', filter: (n) => n % 2 === 1 }),
  two: fromChannel({ channel: ['c', 'd'] }),
})

function service(options: SubscriptionExecutorOptions = {}) {
  const bus = tappedBus()
  return { ...serve(schema, { bus, eventContext: () => ({}), ...options }), bus }
}

const query = 'subscription { changed }'
const withGap = (reason: string) => ({ sluice: { gap: { reason } } })

describe('with onGap "signal"', () => {
  test.each(['trimmed', 'epoch', 'fork'] as const)(
    'a gap "%s" is told with the next result, once, to every member',
    async (reason) => {
      const { subscribe, publish, bus, executor, errors } = service()
      const streams = [await subscribe(query, alice), await subscribe(query, bob)]
      await publish('c', 1)
      bus.tellGap('c', reason)
      await publish('c', 2)
      await publish('c', 3)
      for (const stream of streams) {
        expect(await take(stream)).toEqual({ data: { changed: 1 } })
        expect(await take(stream)).toEqual({ data: { changed: 2 }, extensions: withGap(reason) })
        expect(await take(stream)).toEqual({ data: { changed: 3 } })
      }
      expect(errors).toEqual([expect.objectContaining({ code: 'HISTORY_GAP' })])
      expect(executor.metrics()).toMatchObject({
        executions: 3,
        serializations: 3,
        events: { gaps: 1 },
        errors: { byCode: { HISTORY_GAP: 1 } },
      })
    },
  )

  test('who joins after the gap is not told', async () => {
    const { subscribe, publish, bus } = service()
    const early = await subscribe(query)
    bus.tellGap('c')
    const late = await subscribe(query, bob)
    await publish('c', 1)
    expect(await take(early)).toEqual({ data: { changed: 1 }, extensions: withGap('trimmed') })
    expect(await take(late)).toEqual({ data: { changed: 1 } })
  })

  test('a result that is executed when the gap comes was before it', async () => {
    const executed = deferred<number>()
    const bus = tappedBus()
    const resolve = (n: number) => (n === 1 ? executed.promise : n)
    const { subscribe, publish } = serve(
      schemaOf('changed: Json', { changed: fromChannel({ channel: 'c', resolve }) }),
      { bus },
    )
    const stream = await subscribe(query)
    await publish('c', 1)
    await publish('c', 2)
    bus.tellGap('c')
    await publish('c', 3)
    executed.resolve(1)
    expect([await take(stream), await take(stream), await take(stream)]).toEqual([
      { data: { changed: 1 } },
      { data: { changed: 2 } },
      { data: { changed: 3 }, extensions: withGap('trimmed') },
    ])
  })

  test('it waits for a result that the filter lets pass, and for one that is for this user', async () => {
    const { subscribe, publish, bus } = service()
    const odd = await subscribe('subscription { odd }')
    const mine = await subscribe(query, alice)
    await subscribe(query, bob)
    bus.tellGap('c')
    await publish('c', 2, { userId: 'bob' })
    await publish('c', 3)
    expect(await take(odd)).toEqual({ data: { odd: 3 }, extensions: withGap('trimmed') })
    expect(await take(mine)).toEqual({ data: { changed: 3 }, extensions: withGap('trimmed') })
  })

  test('two gaps before a result are told as one', async () => {
    const { subscribe, publish, bus } = service()
    const stream = await subscribe(query)
    bus.tellGap('c', 'trimmed')
    bus.tellGap('c', 'fork')
    await publish('c', 1)
    await publish('c', 2)
    expect(await take(stream)).toEqual({ data: { changed: 1 }, extensions: withGap('fork') })
    expect(await take(stream)).toEqual({ data: { changed: 2 } })
  })

  test('a gap on one of several channels is told', async () => {
    const { subscribe, publish, bus } = service()
    const stream = await subscribe('subscription { two }')
    bus.tellGap('d')
    await publish('c', 1)
    expect(await take(stream)).toEqual({ data: { two: 1 }, extensions: withGap('trimmed') })
  })

  test('extensions of the result stay', async () => {
    const { subscribe, publish, bus } = service({
      execute: () => ({ data: { changed: 1 }, extensions: { cost: 1, sluice: { other: 2 } } }),
    })
    const stream = await subscribe(query)
    bus.tellGap('c')
    await publish('c', 1)
    expect((await take(stream)).extensions).toEqual({ cost: 1, sluice: { other: 2, gap: { reason: 'trimmed' } } })
  })
})

describe('with onGap "end"', () => {
  test('the stream ends with HISTORY_GAP after what waits, and then it is done', async () => {
    const { subscribe, publish, bus, executor, errors } = service({ onGap: 'end' })
    const streams = [await subscribe(query, alice), await subscribe(query, bob)]
    await publish('c', 1)
    bus.tellGap('c')
    await publish('c', 2)
    for (const stream of streams) {
      expect(await take(stream)).toEqual({ data: { changed: 1 } })
      await expect(stream.next()).rejects.toMatchObject({
        extensions: { code: 'HISTORY_GAP' },
        originalError: undefined,
      })
      expect(await stream.next()).toEqual({ done: true, value: undefined })
    }
    expect(errors).toHaveLength(1)
    expect(executor.metrics()).toMatchObject({
      subscriptions: { active: 0 },
      groups: { active: 0 },
      events: { gaps: 1 },
    })
    expect(bus.inner.stats().listenerCount).toBe(0)
  })

  test('a pending next() is rejected, and a sink hears the error', async () => {
    const { subscribe, bus } = service({ onGap: 'end' })
    const pulled = (await subscribe(query)).next()
    const pushed = deferred<unknown>()
    const stream = await subscribe(query)
    stream.pushTo({ next: () => undefined, complete: () => undefined, error: pushed.resolve })
    bus.tellGap('c')
    await expect(pulled).rejects.toMatchObject({ extensions: { code: 'HISTORY_GAP' } })
    expect(await pushed.promise).toMatchObject({ extensions: { code: 'HISTORY_GAP' } })
  })
})

test("the field's onGap goes before the executor's", async () => {
  for (const onGap of ['signal', 'end'] as const) {
    const { subscribe, publish, bus } = service({ onGap })
    const ends = await subscribe('subscription { ends }')
    const signals = await subscribe('subscription { signals }')
    bus.tellGap('c')
    await publish('c', 1)
    await expect(ends.next()).rejects.toMatchObject({ extensions: { code: 'HISTORY_GAP' } })
    expect(await take(signals)).toEqual({ data: { signals: 1 }, extensions: withGap('trimmed') })
  }
})

test('other notifications of the bus change nothing', async () => {
  const { subscribe, publish, bus, errors } = service()
  const stream = await subscribe(query)
  bus.tell('c', { kind: 'advance', position: somewhere })
  for (const status of ['degraded', 'down', 'up'] as const) bus.tell('c', { kind: 'status', status })
  await publish('c', 1)
  expect(await take(stream)).toEqual({ data: { changed: 1 } })
  expect(errors).toEqual([])
})

test('a bus that was closed by somebody else ends the subscriptions with BUS_CLOSED', async () => {
  const { subscribe, bus, executor } = service()
  const stream = await subscribe(query)
  await bus.inner.close()
  await expect(stream.next()).rejects.toMatchObject({ extensions: { code: 'BUS_CLOSED' } })
  await nextTurn()
  expect(executor.metrics().subscriptions.active).toBe(0)
})
