import { type EventBus, memoryBus } from '@sluice/core'
import { expect, test } from 'vitest'
import { scrape } from './exposition.ts'
import { serve, take } from './service.ts'

const execution = 'graphql_subscriptions_execution_duration_seconds'
const size = 'graphql_subscriptions_response_size_bytes'
const latency = 'graphql_subscriptions_delivery_latency_seconds'
const firstEvent = 'graphql_subscriptions_time_to_first_event_seconds'

test('500 subscriptions and one event are one observation, and no series per subscriber', async () => {
  await using service = serve()
  const empty = await scrape(service.metrics)
  const streams = []
  for (let n = 0; n < 500; n += 1) {
    streams.push(await service.subscribe('news', { tenantId: 't', userId: `user ${n}` }))
  }
  await service.publish('x'.repeat(100))
  for (const stream of streams) await take(stream)
  const result = await scrape(service.metrics)
  for (const name of [execution, size, latency]) expect(result.histogram(name).count).toBe(1)
  expect(result.histogram(firstEvent).count).toBe(500)
  expect(Object.keys(result.values())).toEqual(Object.keys(empty.values()))
  expect(result.names).toEqual(empty.names)
})

test('sizes are bytes of JSON, not characters, in cumulative buckets', async () => {
  await using service = serve()
  const stream = await service.subscribe('news')
  for (const data of ['', '€'.repeat(100), 'x'.repeat(5000)]) {
    await service.publish(data)
    await take(stream)
  }
  const empty = '{"data":{"news":""}}'.length
  const { count, sum, buckets } = (await scrape(service.metrics)).histogram(size)
  expect({ count, sum }).toEqual({ count: 3, sum: 3 * empty + 300 + 5000 })
  expect(buckets).toMatchObject({ '64': 1, '256': 1, '1024': 2, '4096': 2, '16384': 3, '+Inf': 3 })
})

test('times are seconds, and the latency is by the clock of the publisher', async () => {
  const bus = memoryBus()
  const behind: EventBus = {
    ...bus,
    publish: (event) => bus.publish({ ...event, publishedAt: event.publishedAt - 5_400_000 }),
  }
  await using service = serve({}, { bus: behind })
  const startedAt = performance.now()
  const stream = await service.subscribe('news')
  await service.publish('late')
  await take(stream)
  const result = await scrape(service.metrics)
  const tookSeconds = (performance.now() - startedAt) / 1000
  for (const name of [execution, firstEvent]) {
    const { count, sum } = result.histogram(name)
    expect(count).toBe(1)
    expect(sum).toBeGreaterThan(0)
    expect(sum).toBeLessThanOrEqual(tookSeconds)
  }
  const { count, sum, buckets } = result.histogram(latency)
  expect(count).toBe(1)
  // Clocks of events have milliseconds.
  expect(sum).toBeGreaterThanOrEqual(5400 - 0.001)
  expect(sum).toBeLessThanOrEqual(5400 + tookSeconds + 0.001)
  expect(buckets).toMatchObject({ '30': 0, '+Inf': 1 })
})
