import { once } from 'node:events'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type RawClient, rawClient } from './raw-client.ts'
import { openService, type Service, type ServiceOptions } from './service.ts'
import { until } from './until.ts'

const NEWS = 'subscription ($topic: String!) { news(topic: $topic) { text number } }'
const LIMIT = 100_000
const text = 'x'.repeat(50_000)

/** A reader who reads nothing, and one who does, on the same channel. */
async function twoReaders(service: Service): Promise<{ slow: RawClient; fast: RawClient }> {
  const slow = await rawClient(service.url)
  slow.subscribe('1', NEWS, { topic: 'a' })
  slow.subscribe('2', NEWS, { topic: 'a' })
  slow.subscribe('3', 'subscription { silence }')
  const fast = await rawClient(service.url)
  fast.subscribe('1', NEWS, { topic: 'a' })
  await until(() => service.activeCount() === 4)
  slow.socket.pause()
  return { slow, fast }
}

/** Publishes until it is so; the fast reader keeps up with it. */
async function publishUntil(isSo: () => boolean, service: Service, fast: RawClient): Promise<number> {
  let count = 0
  while (!isSo()) {
    count += 1
    await service.publish('a', { text, number: count })
    await fast.has(count)
  }
  return count
}

function slowConsumers(service: Service): number {
  return service.executor.metrics().errors.byCode.SLOW_CONSUMER ?? 0
}

async function open(overflow: ServiceOptions['overflow'], hooks: ServiceOptions['hooks'] = {}): Promise<Service> {
  return openService({ overflow: { maxPendingBytes: LIMIT, ...overflow }, hooks })
}

afterEach(() => {
  vi.useRealTimers()
})

describe('a socket whose reader is too slow', () => {
  it('is closed with 4429, releases everything, and holds up nobody', async () => {
    await using service = await open({})
    const { slow, fast } = await twoReaders(service)

    const count = await publishUntil(() => slowConsumers(service) === 1, service, fast)

    expect(service.activeCount()).toBe(1)
    expect(service.released.count).toBe(1)
    expect(service.sockets[0]?.bufferedAmount).toBeLessThan(LIMIT + 3 * text.length)
    await service.publish('a', { text, number: count + 1 })
    await fast.has(count + 1)
    expect(slowConsumers(service)).toBe(1)

    slow.socket.resume()
    expect(await slow.closed).toEqual({ code: 4429, reason: 'Slow consumer' })
    expect(slow.messages.every(({ type }) => type === 'next')).toBe(true)
    await until(() => service.executor.metrics().connections.active === 1)
  })

  it('is cut off after five seconds if it does not even read that', async () => {
    await using service = await open({})
    const { fast } = await twoReaders(service)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    await publishUntil(() => slowConsumers(service) === 1, service, fast)
    const closed = once(service.sockets[0] as NonNullable<(typeof service.sockets)[0]>, 'close')

    vi.advanceTimersByTime(4999)
    expect(service.sockets[0]?.readyState).toBe(2)
    vi.advanceTimersByTime(1)
    await closed

    expect(service.executor.metrics().connections.active).toBe(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('leaves no timer behind when it closed in time', async () => {
    await using service = await open({})
    const { slow, fast } = await twoReaders(service)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    await publishUntil(() => slowConsumers(service) === 1, service, fast)
    expect(vi.getTimerCount()).toBeGreaterThan(0)

    slow.socket.resume()
    await until(() => service.executor.metrics().connections.active === 1)

    expect(vi.getTimerCount()).toBe(0)
  })

  it.each(['dropOldest', 'dropNewest'] as const)(
    'misses what does not fit and is told so, under the policy %s',
    async (policy) => {
      await using service = await open({ policy })
      const { slow, fast } = await twoReaders(service)
      const dropped = () => service.executor.metrics().events.dropped

      await publishUntil(() => dropped() >= 4, service, fast)
      expect(slowConsumers(service)).toBe(0)
      expect(service.activeCount()).toBe(4)
      slow.socket.resume()
      await until(() => service.sockets[0]?.bufferedAmount === 0)
      await service.publish('a', { text: 'again' })
      await service.publish('a', { text: 'and again' })
      await until(() => slow.texts.filter((message) => message.includes('and again')).length === 2)

      for (const id of ['1', '2']) {
        const results = slow.messages.filter((message) => message.id === id).map(({ payload }) => payload)
        expect(results.filter((result) => 'extensions' in (result as object))).toEqual([
          { data: { news: { text: 'again', number: null } }, extensions: { sluice: { gap: { reason: 'overflow' } } } },
        ])
        expect(results.at(-1)).toEqual({ data: { news: { text: 'and again', number: null } } })
      }
      expect(slow.messages.length).toBeLessThan(2 * fast.messages.length)
      expect(fast.messages.every(({ payload }) => !('extensions' in (payload as object)))).toBe(true)
    },
  )

  it.each([
    ['disconnect', 'queries'],
    ['dropNewest', 'queries'],
    ['disconnect', 'pings'],
    ['dropNewest', 'pings'],
  ] as const)('is closed, under the policy %s, if it sends %s and reads no answer', async (policy, what) => {
    await using service = await open({ policy })
    const client = await rawClient(service.url)
    client.socket.pause()
    for (let id = 0; service.sockets[0]?.readyState === 1; id += 1) {
      if (what === 'queries') client.subscribe(String(id), '{ big }')
      else client.send({ type: 'ping', payload: { big: text } })
      await new Promise((resolve) => setImmediate(resolve))
    }

    expect(slowConsumers(service)).toBe(1)
    client.socket.resume()
    expect(await client.closed).toMatchObject({ code: 4429 })
  })

  it('gets single results when it has read', async () => {
    await using service = await open({ maxPendingBytes: 1000 })
    const client = await rawClient(service.url)
    client.subscribe('slow', '{ slow }')
    client.subscribe('1', 'subscription { flood }')
    await until(() => service.gates.length === 1)
    client.socket.pause()
    await until(() => (service.sockets[0]?.bufferedAmount ?? 0) > 1000)
    service.gates[0]?.open()
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    client.socket.resume()
    await until(() => client.messages.some(({ id }) => id === 'slow'))

    expect(client.messages.find(({ id }) => id === 'slow')).toMatchObject({ payload: { data: { slow: 'at last' } } })
  })

  it('is not one that gets a burst within a tick', async () => {
    await using service = await open({ maxPendingBytes: 50_000 })
    const client = await rawClient(service.url)
    client.subscribe('1', NEWS, { topic: 'a' })
    await until(() => service.activeCount() === 1)

    await Promise.all(
      Array.from({ length: 20 }, (_, number) => service.publish('a', { text: 'x'.repeat(10_000), number })),
    )
    await client.has(20)

    expect(slowConsumers(service)).toBe(0)
  })

  it('is not one that gets a single event above the limit', async () => {
    await using service = await open({ maxPendingBytes: 1000 })
    const client = await rawClient(service.url)
    client.subscribe('1', NEWS, { topic: 'a' })
    await until(() => service.activeCount() === 1)

    await service.publish('a', { text: 'x'.repeat(900_000) })
    await client.has(1)

    expect(slowConsumers(service)).toBe(0)
  })

  it('stops the pulling of a source that is not of a channel, until it has read', async () => {
    await using service = await open({})
    const client = await rawClient(service.url)
    client.subscribe('1', 'subscription { flood }')
    await client.has(1)
    client.socket.pause()

    let before = 0
    while (service.pulled.count > before) {
      before = service.pulled.count
      // The kernel takes a while until it takes no more.
      for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve))
      expect(service.sockets[0]?.bufferedAmount).toBeLessThan(LIMIT + 150_000)
    }

    client.socket.resume()
    await until(() => service.pulled.count > before + 10)
    client.socket.pause()
    await until(() => (service.sockets[0]?.bufferedAmount ?? 0) > LIMIT)
    client.socket.terminate()
    await until(() => service.released.count === 1)
    expect(slowConsumers(service)).toBe(0)
  })

  it('is cut off if it stays full for five seconds while its streams are pulled', async () => {
    await using service = await open({})
    const client = await rawClient(service.url)
    client.subscribe('1', 'subscription { flood }')
    await client.has(1)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    client.socket.pause()
    await until(() => vi.getTimerCount() === 1)
    const closed = once(service.sockets[0] as NonNullable<(typeof service.sockets)[0]>, 'close')

    vi.advanceTimersByTime(5000)
    expect(service.sockets[0]?.readyState).toBe(2)
    expect(slowConsumers(service)).toBe(1)
    await until(() => service.released.count === 1)
    vi.advanceTimersByTime(5000)
    await closed

    expect(service.activeCount()).toBe(0)
    await until(() => vi.getTimerCount() === 0)
  })

  it('is closed with 4429 as well if its streams are pulled', async () => {
    await using service = await open(
      {},
      {
        onOperation: (_, __, ___, ____, result) =>
          Symbol.asyncIterator in result
            ? ((async function* () {
                yield* result
              })() as AsyncGenerator<never>)
            : undefined,
      },
    )
    const { slow, fast } = await twoReaders(service)

    await publishUntil(() => service.activeCount() === 2, service, fast)
    slow.socket.resume()

    expect(await slow.closed).toEqual({ code: 4429, reason: 'Slow consumer' })
    await until(() => service.activeCount() === 1)
  })
})
