import { until } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { openStream, type RawStream, resultOf } from './raw-stream.ts'
import { openService, type Service, type ServiceOptions } from './service.ts'

const LIMIT = 100_000
const text = 'x'.repeat(50_000)
const news = 'subscription { news(topic: "a") { text number } }'

function open(overflow: NonNullable<ServiceOptions['executor']>['overflow'] = {}): Promise<Service> {
  return openService({ executor: { overflow: { maxPendingBytes: LIMIT, ...overflow } } })
}

/** A reader who reads nothing, and one who does, on the same topic. */
async function twoReaders(service: Service): Promise<{ slow: RawStream; fast: RawStream }> {
  const slow = openStream({ url: service.url, body: { query: news } })
  ;(await slow.response).pause()
  await service.active(1)
  const fast = openStream({ url: service.url, body: { query: news } })
  await service.active(2)
  return { slow, fast }
}

/** Publishes until it is so; the fast reader keeps up with it. */
async function publishUntil(isSo: () => boolean, service: Service, fast: RawStream): Promise<number> {
  let count = 0
  while (!isSo()) {
    count += 1
    await service.publish('a', { text, number: count })
    await fast.has(count)
  }
  return count
}

describe('a stream whose reader is too slow', () => {
  it('ends with SLOW_CONSUMER and complete under the policy "disconnect", and holds up nobody', async () => {
    const service = await open()
    const { slow, fast } = await twoReaders(service)
    const ended = () => service.executor.metrics().subscriptions.ended.byReason
    const count = await publishUntil(() => ended().SLOW_CONSUMER === 1, service, fast)

    expect(service.pendingBytes()).toBeLessThan(LIMIT + 2 * text.length)
    expect(service.executor.metrics()).toMatchObject({
      connections: { active: 2 },
      subscriptions: { active: 1 },
      errors: { byCode: { SLOW_CONSUMER: 1 } },
    })
    await service.publish('a', { text, number: count + 1 })
    await fast.has(count + 1)
    expect(service.pendingBytes()).toBeLessThan(LIMIT + 2 * text.length)

    ;(await slow.response).resume()
    await slow.ended
    expect(slow.events.at(-1)).toBe('event: complete\ndata:')
    expect(resultOf(slow.events.at(-2) ?? '')).toEqual({
      errors: [{ message: expect.stringContaining('more slowly'), extensions: { code: 'SLOW_CONSUMER' } }],
    })
    const numbers = slow.results.slice(0, -1).map(({ data }) => (data as { news: { number: number } }).news.number)
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, index) => index + 1))
    expect(numbers.length).toBeLessThan(count)
    await service.connected(1)
    expect(ended()).toEqual({ SLOW_CONSUMER: 1 })
    expect(service.errors).toEqual([])
  })

  it.each(['dropOldest', 'dropNewest'] as const)(
    'misses what does not fit and is told so, under the policy "%s"',
    async (policy) => {
      const service = await open({ policy })
      const { slow, fast } = await twoReaders(service)
      const dropped = () => service.executor.metrics().events.dropped
      await publishUntil(() => dropped() >= 4, service, fast)
      expect(service.executor.metrics().subscriptions.active).toBe(2)

      ;(await slow.response).resume()
      await until(() => service.pendingBytes() === 0, 'it has read')
      const missed = dropped()
      for (const word of ['again', 'and again']) await service.publish('a', { text: word })
      await until(() => slow.text.includes('"and again"'), 'it goes on')

      const gap = { sluice: { gap: { reason: 'overflow' } } }
      expect(slow.results.filter((result) => 'extensions' in result)).toEqual([
        { data: { news: { text: 'again', number: null } }, extensions: gap },
      ])
      expect(slow.results.at(-1)).toEqual({ data: { news: { text: 'and again', number: null } } })
      expect(fast.results.every((result) => !('extensions' in result))).toBe(true)
      expect(fast.results.length - slow.results.length).toBe(missed)
      expect(service.executor.metrics()).toMatchObject({ events: { dropped: missed }, errors: { byCode: {} } })
    },
  )

  it('is not one that gets a burst within a tick', async () => {
    const service = await open({ maxPendingBytes: 50_000 })
    const stream = openStream({ url: service.url, body: { query: news } })
    await service.active(1)
    await Promise.all(
      Array.from({ length: 20 }, (_, number) => service.publish('a', { text: 'x'.repeat(10_000), number })),
    )
    await stream.has(20)
    expect(service.executor.metrics().subscriptions.active).toBe(1)
  })

  it('is not one that gets a single event above the limit', async () => {
    const service = await open({ maxPendingBytes: 1000 })
    const stream = openStream({ url: service.url, body: { query: news } })
    await service.active(1)
    await service.publish('a', { text: 'x'.repeat(900_000) })
    await stream.has(1)
    expect(service.executor.metrics().subscriptions.active).toBe(1)
  })

  it('gets a large single result whole, however slowly it reads', async () => {
    const service = await open()
    const stream = openStream({ url: service.url, body: { query: '{ big(size: 8000000) }' } })
    const response = await stream.response
    response.pause()
    await until(() => service.pendingBytes() > 0, 'it waits')
    response.resume()
    await stream.ended
    expect(stream.events).toHaveLength(2)
    expect(stream.results).toEqual([{ data: { big: 'x'.repeat(8_000_000) } }])
    await service.idle()
  })
})

describe('a stream that a host wrapped', () => {
  it('ends with SLOW_CONSUMER and complete as well, when its own queue is full', async () => {
    const service: Service = await openService({
      executor: { overflow: { maxPendingBytes: LIMIT } },
      host: {
        async runOperation({ params: { query } }) {
          const stream = await service.executor.subscribe(service.argsOf(query))
          return (async function* () {
            yield* stream as AsyncIterable<object>
          })()
        },
      },
    })
    const { slow, fast } = await twoReaders(service)
    const ended = () => service.executor.metrics().subscriptions.ended.byReason
    await publishUntil(() => ended().SLOW_CONSUMER === 1, service, fast)
    expect(service.pendingBytes()).toBeLessThan(LIMIT + 2 * text.length)
    ;(await slow.response).resume()
    await slow.ended
    expect(slow.events.at(-1)).toBe('event: complete\ndata:')
    expect(slow.results.at(-1)).toMatchObject({ errors: [{ extensions: { code: 'SLOW_CONSUMER' } }] })
    await service.active(1)
  })
})

describe('a stream that is not of a channel', () => {
  const flood = 'subscription { flood }'

  /** Resolves when nothing more is pulled: the kernel takes a while until it takes no more. */
  async function stalled(service: Service): Promise<number> {
    let before = -1
    while (service.pulled.count > before) {
      before = service.pulled.count
      for (let turn = 0; turn < 500; turn += 1) await new Promise((resolve) => setImmediate(resolve))
      expect(service.pendingBytes()).toBeLessThan(LIMIT + 150_000)
    }
    return before
  }

  it('is pulled no faster than its client reads', async () => {
    const service = await open()
    const stream = openStream({ url: service.url, body: { query: flood } })
    const response = await stream.response
    response.pause()
    const before = await stalled(service)

    // What one reads makes room for about as much.
    response.resume()
    await until(() => service.pulled.count > before + 100, 'it goes on')
    response.pause()
    const after = await stalled(service)
    stream.leave()
    await service.idle(1)
    expect(service.pulled.count).toBe(after)
    expect(service.executor.metrics().errors.byCode).toEqual({})
  })

  it('goes on after it was full by less than Node tells of', async () => {
    const service = await openService({ executor: { overflow: { maxPendingBytes: 1000 } } })
    const stream = openStream({ url: service.url, body: { query: 'subscription { flood(size: 5000) }' } })
    const response = await stream.response
    response.pause()
    const before = await stalled(service)
    expect(service.exchange().response).toMatchObject({ writableNeedDrain: false, writableLength: expect.any(Number) })
    expect(service.pendingBytes()).toBeGreaterThan(1000)

    response.resume()
    await until(() => service.pulled.count > before + 100, 'it goes on')
    stream.leave()
    await service.idle(1)
  })

  it('ends with complete, and once, when the server takes leave while it is full', async () => {
    const service = await open()
    const stream = openStream({ url: service.url, body: { query: flood } })
    const response = await stream.response
    response.pause()
    await until(() => service.pendingBytes() > LIMIT, 'it is full')
    const disposed = service.endpoint.dispose()
    await until(() => service.released.count === 1, 'its source was released')
    response.resume()
    await disposed
    await stream.ended
    expect(stream.events.filter((event) => !event.startsWith('event: next'))).toEqual(['event: complete\ndata:'])
    expect(stream.events.at(-1)).toBe('event: complete\ndata:')
    await service.idle(1)
  })
})
