import { usePrometheus } from '@graphql-yoga/plugin-prometheus'
import type { ExecutorObserver } from '@sluice/core'
import { register, Registry } from 'prom-client'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type Scrape, scrape } from '../packages/prometheus/src/__tests__/exposition.ts'
import { onExpress, onNodeHttp, startApollo } from './apollo-server.ts'
import { startFastify } from './fastify-server.ts'
import { type Differences, expectedValues, work, workloadSchema } from './metrics-workload.ts'
import { seriesOf } from './series-of-snapshot.ts'
import type { ServerSetup, StartServer, TestServer } from './test-server.ts'
import { startYoga, startYogaWith } from './yoga-server.ts'

interface Host extends Differences {
  readonly name: string
  readonly start: StartServer
}

const hosts: readonly Host[] = [
  { name: 'Yoga', start: startYoga, connectionCount: 12, serializationCount: 19, errors: {} },
  {
    name: 'Apollo Server',
    start: startApollo(onExpress),
    connectionCount: 13,
    serializationCount: 16,
    errors: { UNKNOWN: 1 },
  },
  { name: 'Envelop', start: startFastify, connectionCount: 13, serializationCount: 19, errors: {} },
]

/** What is asked for at `/metrics`, as an independent parser reads it. */
function scrapeOf({ address }: TestServer): Promise<Scrape> {
  return scrape({
    async render() {
      const response = await fetch(`http://${address}/metrics`)
      expect(response.status).toBe(200)
      return { body: await response.text(), contentType: response.headers.get('content-type') ?? '' }
    },
  })
}

async function open(start: StartServer, more: Pick<ServerSetup, 'metrics'>): Promise<TestServer> {
  let end = (): void => {}
  const stop = new Promise<void>((resolve) => {
    end = resolve
  })
  const server = await start({
    schema: workloadSchema(stop),
    sluice: { scope: ({ user }) => user, eventContext: () => ({}), onError: () => {} },
    ...more,
  })
  onTestFinished(async () => {
    end()
    await server.stop()
  })
  return server
}

const histograms = {
  executed: 'graphql_subscriptions_execution_duration_seconds',
  serialized: 'graphql_subscriptions_response_size_bytes',
  delivered: 'graphql_subscriptions_delivery_latency_seconds',
  firstDelivered: 'graphql_subscriptions_time_to_first_event_seconds',
} as const

/** Listens beside the histograms to what they are made of. */
function listen({ executor }: TestServer): Record<keyof typeof histograms, number[]> {
  const heard = { executed: [], serialized: [], delivered: [], firstDelivered: [] } as Record<
    keyof typeof histograms,
    number[]
  >
  const observer: ExecutorObserver = {
    executed: (ms) => heard.executed.push(ms / 1000),
    serialized: (bytes) => heard.serialized.push(bytes),
    delivered: (ms) => heard.delivered.push(ms / 1000),
    firstDelivered: (ms) => heard.firstDelivered.push(ms / 1000),
  }
  executor.observe(observer)
  return heard
}

describe('the metrics', () => {
  for (const host of hosts) {
    it(`of ${host.name} are, in a scrape over HTTP, what happened and what the executor counted`, async () => {
      const server = await open(host.start, { metrics: { registry: new Registry() } })
      const heard = listen(server)
      const startedAt = performance.now()
      await work(server)
      const scraped = await scrapeOf(server)
      const seconds = (performance.now() - startedAt) / 1000

      expect(scraped.values()).toEqual(expectedValues(host))
      expect(scraped.values()).toEqual(seriesOf(server.executor.metrics()))
      const counts = { executed: 19, serialized: host.serializationCount, delivered: 16, firstDelivered: 11 }
      for (const name of Object.keys(histograms) as (keyof typeof histograms)[]) {
        const { buckets, count, sum } = scraped.histogram(histograms[name])
        expect(count, name).toBe(counts[name])
        expect(heard[name], name).toHaveLength(count)
        expect(sum, name).toBeCloseTo(
          heard[name].reduce((total, each) => total + each, 0),
          6,
        )
        for (const [bound, value] of Object.entries(buckets)) {
          const below = heard[name].filter((each) => bound === '+Inf' || each <= Number(bound))
          expect(value, `${name} ${bound}`).toBe(below.length)
        }
        if (name !== 'serialized') expect(sum, name).toBeLessThan(seconds * count)
      }
      const families = [...new Set(Object.keys(expectedValues(host)).map((series) => series.replace(/\{.*/, '')))]
      expect(scraped.names.toSorted()).toEqual([...families, ...Object.values(histograms)].toSorted())
    })

    it(`of ${host.name} name no more tenants than they may, and all of them are counted`, async () => {
      const server = await open(host.start, { metrics: { registry: new Registry(), tenants: { limit: 1 } } })
      await work(server)
      const byTenant = (await scrapeOf(server)).byLabel('graphql_subscriptions_active')
      expect(Object.fromEntries(byTenant)).toEqual({ acme: 6, '': 1 })
    })
  }

  it('of Yoga stand in one registry with those of Yoga’s own plugin, which go on', async () => {
    const registry = new Registry()
    const start: StartServer = (setup) => startYogaWith(setup, [usePrometheus({ registry, endpoint: false })])
    const server = await open(start, { metrics: { registry } })
    await work(server)
    const scraped = await scrapeOf(server)
    expect(scraped.values('graphql_subscriptions_')).toEqual(expectedValues(hosts[0] as Host))
    const labels = (type: string) => `operationName="Anonymous",operationType="${type}"`
    expect(scraped.values('graphql_envelop_')).toMatchObject({
      [`graphql_envelop_request{${labels('mutation')}}`]: 3,
      // Of every event whose result had it.
      [`graphql_envelop_error_result{${labels('subscription')},phase="execute",path="orders.broken"}`]: 3,
    })
    expect(scraped.names).toEqual(
      expect.arrayContaining(['graphql_yoga_http_duration', 'graphql_envelop_phase_subscribe']),
    )
  })

  it.each([
    ['Yoga', startYoga],
    ['Apollo Server on Express', startApollo(onExpress)],
    ['Apollo Server on node:http', startApollo(onNodeHttp)],
    ['Envelop on Fastify', startFastify],
  ] as const)('of %s are nowhere unless they are asked for', async (_name, start) => {
    const server = await open(start, {})
    await work(server)
    expect((await fetch(`http://${server.address}/metrics`)).status).toBe(404)
    expect(register.getMetricsAsArray()).toEqual([])
  })

  it('are in the global registry if nothing else is said, and gone from it when the server stops', async () => {
    const server = await startYoga({
      schema: workloadSchema(Promise.resolve()),
      sluice: { scope: ({ user }) => user, eventContext: () => ({}) },
      metrics: {},
    })
    expect((await scrapeOf(server)).values()).toEqual(seriesOf(server.executor.metrics()))
    expect(register.getMetricsAsArray().length).toBeGreaterThan(20)
    await server.stop()
    expect(register.getMetricsAsArray()).toEqual([])
  })

  it('of 10,000 tenants make no 10,000 series', async () => {
    for (const tenants of [undefined, { limit: 10 }]) {
      const server = await open(startYoga, { metrics: { registry: new Registry(), tenants } })
      const before = Object.keys((await scrapeOf(server)).values())
      for (let index = 0; index < 10_000; index += 1) {
        await server.executor.register({
          connectionId: `connection ${index % 100}`,
          subscriptionId: `subscription ${index}`,
          query: 'subscription { orders { id } }',
          tenantId: `tenant ${index}`,
        })
      }
      // One event for each, so that nothing else grows either.
      for (let index = 0; index < 10_000; index += 1) {
        const data = { id: '1', status: 'new', total: 1 }
        await server.executor.publish({ tenantId: `tenant ${index}`, channel: 'orders', type: 'order', data })
      }
      const scraped = await scrapeOf(server)
      const values = scraped.values()
      expect(server.executor.metrics().subscriptions.active).toBe(10_000)
      expect(values).toMatchObject({
        graphql_subscriptions_started_total: 10_000,
        graphql_subscriptions_events_delivered_total: 10_000,
        graphql_subscriptions_groups_active: 10_000,
      })
      const active = [...scraped.byLabel('graphql_subscriptions_active').values()]
      expect(active).toHaveLength(tenants === undefined ? 1 : tenants.limit + 1)
      expect(active.reduce((sum, value) => sum + value, 0)).toBe(10_000)
      expect(Object.keys(values)).toHaveLength(before.length + (tenants?.limit ?? 0))
      expect(scraped.histogram(histograms.firstDelivered).count).toBe(10_000)
    }
  })
})
