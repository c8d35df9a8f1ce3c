import { Buffer } from 'node:buffer'
import { describe, expect, test, vi } from 'vitest'
import { alice, bob, codesOf, deferred, never, nextTurn, schemaOf, serve, take } from '../../__tests__/service.ts'
import { somewhere, tappedBus } from '../../__tests__/tapped-bus.ts'
import { SHARED } from '../../bus/channel-key.ts'
import type { BusEvent, BusSubscription, EventBus } from '../../bus/event-bus.ts'
import { fromChannel } from '../../channel/from-channel.ts'
import { SluiceError } from '../../errors.ts'
import type { SubscriptionExecutorOptions } from '../../options.ts'

const schema = schemaOf('changed: Json two: Json shared: Json', {
  changed: fromChannel({ channel: 'c', share: 'tenant' }),
  two: fromChannel({ channel: ['c', 'd'] }),
  shared: fromChannel({ channel: 'c', tenancy: 'shared' }),
})
const query = 'subscription { changed }'

function service(overrides: Partial<EventBus> = {}, options: SubscriptionExecutorOptions = {}) {
  const bus = tappedBus(overrides)
  return { ...serve(schema, { bus, eventContext: () => ({}), subscribeTimeoutMs: 20, ...options }), bus }
}

function told(event: Partial<BusEvent>) {
  const channel = { tenantId: 't', name: 'c' }
  const whole = { channel, type: 'changed', data: Buffer.from('1'), eventId: 'e', publishedAt: 0, ...event }
  return { kind: 'event' as const, event: whole, position: somewhere }
}

describe('a bus that delivers', () => {
  test.each<[string, Partial<BusEvent>]>([
    ['another tenant', { channel: { tenantId: 'other', name: 'c' } }],
    ['another channel', { channel: { tenantId: 't', name: 'd' } }],
    ['all tenants', { channel: { tenantId: SHARED, name: 'c' } }],
  ])('an event of %s is refused: nobody gets it, onError hears, it is counted', async (_, event) => {
    const { subscribe, publish, bus, executor, errors } = service()
    const stream = await subscribe(query)
    bus.tell('c', told(event))
    await publish('c', 'mine')
    expect(await take(stream)).toEqual({ data: { changed: 'mine' } })
    expect(errors).toEqual([expect.objectContaining({ code: 'FORBIDDEN' })])
    expect(executor.metrics()).toMatchObject({ executions: 1, security: { rejected: { tenant: 1 } } })
  })

  test('an event for one user on a channel of all tenants is refused', async () => {
    const { subscribe, bus, executor, errors } = service()
    await subscribe('subscription { shared }')
    bus.tell('c', told({ channel: { tenantId: SHARED, name: 'c' }, userId: 'alice' }))
    expect(errors).toEqual([expect.objectContaining({ code: 'BAD_EVENT' })])
    expect(executor.metrics()).toMatchObject({ executions: 0, security: { rejected: { user: 1 } } })
  })

  test.each([['{'], [''], ['undefined'], ['\0'], ['1 2']])(
    'the data %j, which is not JSON, has it dropped',
    async (text) => {
      const { subscribe, publish, bus, executor, errors } = service()
      const stream = await subscribe(query)
      bus.tell('c', told({ data: Buffer.from(text) }))
      await publish('c', 2)
      expect(await take(stream)).toEqual({ data: { changed: 2 } })
      expect(errors).toEqual([expect.objectContaining({ code: 'BAD_EVENT' })])
      expect(executor.metrics().events).toMatchObject({ received: 2, dropped: 1, delivered: 1 })
    },
  )
})

describe('a bus whose subscribe', () => {
  test('never acknowledges is BUS_UNAVAILABLE after subscribeTimeoutMs, and nothing is left', async () => {
    const signals: (AbortSignal | undefined)[] = []
    const subscribe: EventBus['subscribe'] = (_channel, { signal }) => {
      signals.push(signal)
      return never()
    }
    const { attempt, executor } = service({ subscribe })
    const outcomes = await Promise.all([attempt(query), attempt(query, bob)])
    expect(outcomes.map(codesOf)).toEqual([['BUS_UNAVAILABLE'], ['BUS_UNAVAILABLE']])
    expect(signals.map((signal) => signal?.aborted)).toEqual([true])
    expect(executor.metrics()).toMatchObject({ subscriptions: { active: 0, total: 0 }, groups: { active: 0 } })
    expect(codesOf(await attempt(query))).toEqual(['BUS_UNAVAILABLE'])
    expect(signals).toHaveLength(2)
  })

  test('acknowledges too late is closed at once', async () => {
    const acknowledgement = deferred<BusSubscription>()
    const close = vi.fn(async () => undefined)
    const { attempt } = service({ subscribe: () => acknowledgement.promise })
    expect(codesOf(await attempt(query))).toEqual(['BUS_UNAVAILABLE'])
    acknowledgement.resolve({ position: somewhere, close, [Symbol.asyncDispose]: close })
    await nextTurn()
    expect(close).toHaveBeenCalledTimes(1)
  })

  test.each([
    ['rejects', () => Promise.reject(new Error('secret'))],
    [
      'throws',
      () => {
        throw new Error('secret')
      },
    ],
  ])('%s is BUS_UNAVAILABLE, shows nothing, and is tried anew by the next one', async (_, failing) => {
    const bus = tappedBus()
    const subscribe = vi.fn<EventBus['subscribe']>((...args) => bus.subscribe(...args)).mockImplementationOnce(failing)
    const { attempt, subscribe: open, executor, errors } = service({ subscribe })
    const outcome = await attempt(query)
    expect(codesOf(outcome)).toEqual(['BUS_UNAVAILABLE'])
    expect(JSON.stringify(outcome)).not.toContain('secret')
    expect(errors).toEqual([expect.objectContaining({ cause: expect.objectContaining({ message: 'secret' }) })])
    await open(query)
    expect(executor.metrics().subscriptions.active).toBe(1)
  })

  test('rejects with a SluiceError is refused with its code', async () => {
    const { attempt } = service({ subscribe: () => Promise.reject(new SluiceError('BUS_CLOSED', 'closed')) })
    expect(codesOf(await attempt(query))).toEqual(['BUS_CLOSED'])
  })

  test('works for one of two channels only leaves neither', async () => {
    const bus = tappedBus()
    const subscribe: EventBus['subscribe'] = (channel, ...rest) =>
      channel.name === 'd' ? Promise.reject(new Error('no')) : bus.subscribe(channel, ...rest)
    const { attempt } = service({ subscribe })
    expect(codesOf(await attempt('subscription { two }'))).toEqual(['BUS_UNAVAILABLE'])
    await nextTurn()
    expect(bus.inner.stats().listenerCount).toBe(0)
  })

  test('is under way for two subscriptions goes on when one of them gave up', async () => {
    const acknowledged = deferred()
    const bus = tappedBus()
    const subscribe: EventBus['subscribe'] = async (...args) => {
      await acknowledged.promise
      return bus.subscribe(...args)
    }
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { subscribe: open, attempt } = service({ subscribe, publish: bus.publish })
    const first = attempt(query)
    await vi.advanceTimersByTimeAsync(15)
    const second = open(query)
    await vi.advanceTimersByTimeAsync(15)
    vi.useRealTimers()
    expect(codesOf(await first)).toEqual(['BUS_UNAVAILABLE'])
    acknowledged.resolve()
    await bus.publish({
      channel: { tenantId: 't', name: 'c' },
      type: 'x',
      data: Buffer.from('0'),
      eventId: '0',
      publishedAt: 0,
    })
    const stream = await second
    await bus.publish({
      channel: { tenantId: 't', name: 'c' },
      type: 'x',
      data: Buffer.from('1'),
      eventId: '1',
      publishedAt: 0,
    })
    expect(await take(stream)).toEqual({ data: { changed: 1 } })
  })
})

test('one subscription at the bus serves all groups of a channel, and ends with the last of them', async () => {
  const bus = tappedBus()
  const subscribe = vi.fn<EventBus['subscribe']>((...args) => bus.subscribe(...args))
  const { subscribe: open } = service({ subscribe })
  const streams = [await open(query), await open(query, bob), await open('subscription { two }', alice)]
  expect(subscribe.mock.calls.map(([{ name }]) => name)).toEqual(['c', 'd'])
  for (const stream of streams) {
    expect(bus.inner.stats().listenerCount).toBeGreaterThan(0)
    await stream.return(undefined)
  }
  await nextTurn()
  expect(bus.inner.stats().listenerCount).toBe(0)
})

test('a bus that cannot close a subscription is reported, and the stream ends all the same', async () => {
  const failure = new Error('connection lost')
  const close = () => Promise.reject(failure)
  const subscription = { position: somewhere, close, [Symbol.asyncDispose]: close }
  const { subscribe, errors, executor } = service({ subscribe: async () => subscription })
  const stream = await subscribe(query)
  await stream.return(undefined)
  await nextTurn()
  expect(errors).toEqual([failure])
  await executor.dispose()
})

test('a publish that the bus refuses rejects with its error, and is not counted as published', async () => {
  const { publish, executor } = service({ publish: () => Promise.reject(new SluiceError('EVENT_TOO_LARGE', 'large')) })
  await expect(publish('c', 1)).rejects.toMatchObject({ code: 'EVENT_TOO_LARGE' })
  expect(executor.metrics()).toMatchObject({ events: { published: 0 }, errors: { byCode: { EVENT_TOO_LARGE: 1 } } })
})

test('what the bus tells its observers reaches onError', async () => {
  const bus = tappedBus()
  const failing = service({ observe: bus.observe, subscribe: bus.subscribe, publish: bus.publish })
  await bus.subscribe({ tenantId: 't', name: 'c' }, { from: 'live' }, () => {
    throw new Error('a listener failed')
  })
  await failing.publish('c', 1)
  expect(failing.errors).toEqual([expect.objectContaining({ message: 'a listener failed' })])
})

test("a right that the server's own user has not at the bus is a mistake of the server, not of the client", async () => {
  const forbidden = new SluiceError('FORBIDDEN', 'the user "sluice" of redis.internal may not')
  const refuse = () => Promise.reject(forbidden)
  const { attempt, executor, errors } = service({ subscribe: refuse, publish: refuse })
  const outcome = await attempt(query)
  expect(codesOf(outcome)).toEqual(['BAD_CONFIG'])
  expect(JSON.stringify(outcome)).not.toContain('redis.internal')
  expect(errors).toEqual([expect.objectContaining({ code: 'BAD_CONFIG', cause: forbidden })])

  const publishing = executor.publisherFor({ viewer: alice }).publish({ channel: 'c', type: 'changed', data: 1 })
  await expect(publishing).rejects.toMatchObject({ name: 'SluiceError', code: 'BAD_CONFIG', cause: forbidden })
})
