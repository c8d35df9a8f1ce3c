import { createSubscriptionExecutor } from '@sluice/core'
import { Counter, type Histogram, type OpenMetricsContentType, register, Registry } from 'prom-client'
import { afterEach, describe, expect, expectTypeOf, it } from 'vitest'
import { collectMetrics } from '../collect-metrics.ts'
import type { MetricsRegistry } from '../metrics-registry.ts'
import { scrape } from './exposition.ts'
import { serve, take } from './service.ts'

const createExecutor = () => createSubscriptionExecutor({ scope: () => null })
const namesIn = (registry: Registry) => registry.getMetricsAsArray().map(({ name }) => name)

afterEach(() => register.clear())

describe('collectMetrics', () => {
  it("uses prom-client's global registry by default", async () => {
    const metrics = collectMetrics(createExecutor())
    expect(metrics.registry).toBe(register)
    expect((await scrape(metrics)).values()).toMatchObject({ graphql_subscriptions_active: 0 })
    metrics.stop()
    expect(namesIn(register)).toEqual([])
  })

  it('puts one executor into several registries, which are independent', async () => {
    await using service = serve()
    const registry = new Registry()
    const others = collectMetrics(service.executor, { registry, tenants: { limit: 5 } })
    const stream = await service.subscribe('news')
    await service.publish('an event')
    await take(stream)
    const execution = 'graphql_subscriptions_execution_duration_seconds'
    for (const metrics of [service.metrics, others]) {
      const result = await scrape(metrics)
      expect(result.values()).toMatchObject({ graphql_subscriptions_executions_total: 1 })
      expect(result.histogram(execution).count).toBe(1)
    }
    others.stop()
    expect(namesIn(registry)).toEqual([])
    await service.publish('another')
    expect((await scrape(service.metrics)).histogram(execution).count).toBe(2)
  })

  it('gives those who ask for the same the same metrics, until the last has stopped', async () => {
    await using service = serve({ tenants: { limit: 3 } })
    const { executor, registry } = service
    const names = namesIn(registry)
    const second = collectMetrics(executor, { registry, tenants: { limit: 3 } })
    const third = collectMetrics(executor, { registry })
    expect(namesIn(registry)).toEqual(names)
    expect(await third.render()).toEqual(await service.metrics.render())
    second.stop()
    second.stop()
    second.stop()
    service.metrics.stop()
    const stream = await service.subscribe('news')
    await service.publish('an event')
    await take(stream)
    expect((await scrape(third)).histogram('graphql_subscriptions_response_size_bytes').count).toBe(1)
    third.stop()
    expect(namesIn(registry)).toEqual([])
    const anew = collectMetrics(executor, { registry })
    expect(namesIn(registry)).toEqual(names)
    anew.stop()
  })

  it('refuses to mix up what was asked for differently', async () => {
    await using service = serve({ tenants: { limit: 3 } })
    const { executor, registry } = service
    expect(() => collectMetrics(executor, { registry, tenants: { limit: 4 } })).toThrow(
      '[collectMetrics] the registry has the metrics of this executor with another option "tenants": give the same, or none.',
    )
  })

  it('refuses two executors in one registry, and says what to do', async () => {
    await using service = serve()
    const { registry } = service
    const other = createExecutor()
    expect(() => collectMetrics(other, { registry })).toThrow(
      expect.objectContaining({
        code: 'BAD_CONFIG',
        message:
          '[collectMetrics] the registry has the metrics of another executor: give this one a registry of its own, or share one executor.',
      }),
    )
    service.metrics.stop()
    const metrics = collectMetrics(other, { registry })
    expect((await scrape(metrics)).values()).toMatchObject({ graphql_subscriptions_started_total: 0 })
    metrics.stop()
  })

  it('stops observing and leaves nothing in the registry', async () => {
    await using service = serve()
    const stream = await service.subscribe('news')
    await service.publish('an event')
    await take(stream)
    const name = 'graphql_subscriptions_execution_duration_seconds'
    const histogram = service.registry.getSingleMetric(name) as Histogram
    const countOf = async () => (await histogram.get()).values.find(({ metricName }) => metricName === `${name}_count`)
    expect(await countOf()).toMatchObject({ value: 1 })
    service.metrics.stop()
    await service.publish('another')
    await take(stream)
    expect(await countOf()).toMatchObject({ value: 1 })
    expect(namesIn(service.registry)).toEqual([])
    expect(await service.metrics.render()).toMatchObject({ body: '\n' })
    expect(service.executor.metrics().executions).toBe(2)
    expect(service.errors).toEqual([])
  })

  it('leaves the metrics of others alone', async () => {
    await using service = serve()
    const own = new Counter({ name: 'own_total', help: 'Of the user.', registers: [service.registry] })
    own.inc(3)
    expect((await scrape(service.metrics)).values()).toMatchObject({ own_total: 3, graphql_subscriptions_active: 0 })
    service.metrics.stop()
    expect((await scrape(service.metrics)).values()).toEqual({ own_total: 3 })
  })

  it('refuses a registry where one of its names is taken, and changes nothing', async () => {
    const registry = new Registry()
    const name = 'graphql_subscriptions_gaps_total'
    const own = new Counter({ name, help: 'Of the user.', registers: [registry] })
    let observedCount = 0
    const executor = createExecutor()
    const tapped: typeof executor = {
      ...executor,
      observe: (observer) => {
        observedCount += 1
        return executor.observe(observer)
      },
    }
    expect(() => collectMetrics(tapped, { registry })).toThrow(
      `[collectMetrics] the registry has another metric called ${name}: give the executor a registry of its own.`,
    )
    expect(namesIn(registry)).toEqual([name])
    expect(registry.getSingleMetric(name)).toBe(own)
    expect(observedCount).toBe(0)
  })

  it('starts again in a registry that was cleared, whoever still holds what was there', async () => {
    await using service = serve()
    const { executor, registry } = service
    registry.clear()
    const other = collectMetrics(createExecutor(), { registry })
    service.metrics.stop()
    expect((await scrape(other)).values()).toMatchObject({ graphql_subscriptions_started_total: 0 })
    registry.clear()
    const again = collectMetrics(executor, { registry })
    other.stop()
    const stream = await service.subscribe('news')
    await service.publish('an event')
    await take(stream)
    const result = await scrape(again)
    expect(result.values()).toMatchObject({ graphql_subscriptions_started_total: 1 })
    expect(result.histogram('graphql_subscriptions_execution_duration_seconds').count).toBe(1)
    again.stop()
    expect(namesIn(registry)).toEqual([])
  })

  it('takes a metric that its user removed for a wish', async () => {
    await using service = serve()
    const { executor, registry } = service
    const name = 'graphql_subscriptions_response_size_bytes'
    registry.removeSingleMetric(name)
    const second = collectMetrics(executor, { registry })
    expect((await scrape(second)).names).not.toContain(name)
    second.stop()
    service.metrics.stop()
    expect(namesIn(registry)).toEqual([])
  })

  it('serves OpenMetrics, in which no two metrics have one name, and is gone after it', async () => {
    const registry = new Registry<OpenMetricsContentType>()
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
    const metrics = collectMetrics(createExecutor(), { registry })
    for (let round = 1; round <= 2; round += 1) {
      const { contentType, body } = await metrics.render()
      expect(contentType).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8')
      expect(body).toMatch(/\n# EOF\n$/)
      expect(body).toContain('# TYPE graphql_subscriptions_started counter\ngraphql_subscriptions_started_total 0\n')
      const families = [...body.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name)
      expect(new Set(families).size).toBe(families.length)
    }
    metrics.stop()
    expect((await metrics.render()).body).toBe('\n# EOF\n')
  })

  it.each<[unknown, string]>([
    [null, 'the options have to be an object'],
    [{ registery: new Registry() }, 'the option "registery" does not exist'],
    [{ registry: {} }, 'the option "registry" has to be a Registry of prom-client'],
    [{ registry: null }, 'the option "registry" has to be a Registry of prom-client'],
    [{ tenants: true }, 'the option "tenants" has to be an object'],
    [{ tenants: { max: 1 } }, 'the option "tenants.max" does not exist'],
    [{ tenants: {} }, 'the option "tenants.limit" has to be an integer between 1 and 1000'],
    [{ tenants: { limit: 0 } }, 'the option "tenants.limit" has to be an integer between 1 and 1000'],
    [{ tenants: { limit: 1001 } }, 'the option "tenants.limit" has to be an integer between 1 and 1000'],
    [{ tenants: { limit: 1.5 } }, 'the option "tenants.limit" has to be an integer between 1 and 1000'],
    [{ tenants: { limit: '5' } }, 'the option "tenants.limit" has to be an integer between 1 and 1000'],
  ])('refuses the options %j: %s', (options, message) => {
    expect(() => collectMetrics(createExecutor(), options as never)).toThrow(
      expect.objectContaining({ code: 'BAD_CONFIG', message: `[collectMetrics] ${message}.` }),
    )
    expect(namesIn(register)).toEqual([])
  })

  it('refuses what is no executor', () => {
    for (const executor of [undefined, null, {}, { metrics: () => ({}) }]) {
      expect(() => collectMetrics(executor as never)).toThrow(
        '[collectMetrics] the executor has to be what createSubscriptionExecutor gives.',
      )
    }
  })
})

it('every registry of prom-client is a MetricsRegistry', () => {
  expectTypeOf<Registry>().toExtend<MetricsRegistry>()
  expectTypeOf<Registry<OpenMetricsContentType>>().toExtend<MetricsRegistry>()
  expectTypeOf(register).toExtend<MetricsRegistry>()
})
