import { createSubscriptionExecutor, SluiceError } from '@sluice/core'
import { Registry } from 'prom-client'
import { createSchema } from 'graphql-yoga'
import { describe, expect, it } from 'vitest'
import { useSluice, type YogaMetricsOptions } from '../index.ts'
import { openYoga } from './open-yoga.ts'

const schema = createSchema({ typeDefs: 'type Query { ok: Boolean }' })
const scope = () => ({ tenantId: 'acme' })

async function open(metrics: YogaMetricsOptions | undefined) {
  const errors: unknown[] = []
  const yoga = await openYoga({ sluice: { scope, onError: (error) => errors.push(error), metrics }, schema })
  const { origin } = new URL(`http://${yoga.address}`)
  return { ...yoga, errors, get: (path: string, init?: RequestInit) => fetch(new URL(path, origin), init) }
}

describe('the metrics of Yoga', () => {
  it('are served at /metrics, or where the option says, and nowhere else', async () => {
    const byDefault = await open({ registry: new Registry() })
    const response = await byDefault.get('/metrics')
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
    expect(await response.text()).toMatch(/^graphql_subscriptions_active 0$/m)
    expect((await byDefault.get('/metrics/more')).status).toBe(404)
    const moved = await open({ registry: new Registry(), endpoint: '/internal/prometheus' })
    expect((await moved.get('/internal/prometheus')).status).toBe(200)
    expect((await moved.get('/metrics')).status).toBe(404)
  })

  it('answer HEAD without a body, and leave other methods to Yoga', async () => {
    const { get } = await open({ registry: new Registry() })
    const head = await get('/metrics', { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
    expect((await get('/metrics', { method: 'POST' })).status).toBe(404)
  })

  it('may be served by somebody else, from the same registry', async () => {
    const registry = new Registry()
    const { get } = await open({ registry, endpoint: false })
    expect((await get('/metrics')).status).toBe(404)
    expect(await registry.metrics()).toContain('graphql_subscriptions_active 0')
  })

  it('are none without the option', async () => {
    const { get } = await open(undefined)
    expect((await get('/metrics')).status).toBe(404)
  })

  it('are gone from the registry when Yoga is disposed of', async () => {
    const registry = new Registry()
    const { dispose } = await open({ registry })
    await dispose()
    expect(await registry.metrics()).toBe('\n')
  })

  it('that cannot be read are an error without a reason, and reported', async () => {
    const registry = new Registry()
    const { errors, get } = await open({ registry })
    registry.registerMetric({ name: 'broken', get: () => Promise.reject(new Error('password=hunter2')) } as never)
    const response = await get('/metrics')
    expect([response.status, await response.text()]).toEqual([500, 'The metrics could not be read.\n'])
    expect(errors).toMatchObject([{ message: 'password=hunter2' }])
  })

  for (const endpoint of ['metrics', '', '/metrics?x', 1]) {
    it(`refuse the endpoint ${JSON.stringify(endpoint)} with BAD_CONFIG`, () => {
      const make = () => useSluice({ scope, metrics: { registry: new Registry(), endpoint: endpoint as string } })
      expect(make).toThrow(SluiceError)
      expect(make).toThrow('metrics.endpoint')
    })
  }

  it('of one executor are the same for two servers that share it', async () => {
    const registry = new Registry()
    const executor = createSubscriptionExecutor({ scope })
    const plugins = [1, 2].map(() => useSluice({ executor, metrics: { registry } }))
    for (const sluice of plugins) await openYoga({ sluice, schema })
    executor.openConnection()
    expect(await registry.metrics()).toMatch(/^graphql_subscriptions_connections_active 1$/m)
  })
})
