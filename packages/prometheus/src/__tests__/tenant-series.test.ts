import fc from 'fast-check'
import { expect, test } from 'vitest'
import { tenantSeries } from '../tenant-series.ts'
import { scrape } from './exposition.ts'
import { serve } from './service.ts'

const name = 'graphql_subscriptions_active'

test('no tenant is named unless it is asked for', async () => {
  await using service = serve()
  await service.subscribe('news', { tenantId: 'secret' })
  const { body } = await service.metrics.render()
  expect(body).toContain(`${name} 1\n`)
  expect(body).not.toContain('tenant=')
  expect(body).not.toContain('secret')
})

test('the largest tenants have a series each, and the others are one; those who left are gone', async () => {
  await using service = serve({ tenants: { limit: 2 } })
  const streams = []
  for (const tenantId of ['small', 'large', 'large', 'large', 'medium', 'medium', 'tiny']) {
    streams.push(await service.subscribe('news', { tenantId }))
  }
  expect([...(await scrape(service.metrics)).byLabel(name)]).toEqual([
    ['large', 3],
    ['medium', 2],
    ['', 2],
  ])
  for (const stream of streams.slice(1, 4)) await stream.return(undefined)
  expect([...(await scrape(service.metrics)).byLabel(name)]).toEqual([
    ['medium', 2],
    ['small', 1],
    ['', 1],
  ])
  for (const stream of streams) await stream.return(undefined)
  expect([...(await scrape(service.metrics)).byLabel(name)]).toEqual([['', 0]])
})

test('10,000 tenants are as many series as the limit says, and one for the rest, with the same sum', async () => {
  await using service = serve({ tenants: { limit: 20 } })
  for (let n = 0; n < 10_000; n += 1) await service.subscribe('news', { tenantId: `tenant ${n}` })
  await service.subscribe('news', { tenantId: 'tenant 9999' })
  const result = await scrape(service.metrics)
  const series = result.byLabel(name)
  expect(series.size).toBe(21)
  expect(series.get('tenant 9999')).toBe(2)
  expect([...series.values()].reduce((sum, value) => sum + value)).toBe(10_001)
  expect(result.families.flatMap(({ metrics }) => metrics).length).toBeLessThan(100)
})

test('tenants may be called what they like: an independent parser reads the same', async () => {
  const tenants = [
    '__proto__',
    'constructor',
    'with "quotes"',
    'line\nbreak',
    'carriage\rreturn',
    'back\\slash',
    'not a line break: \\n',
    'ends with \\',
    '"} 1\ngraphql_subscriptions_active{tenant="forged',
    '# HELP a comment',
    '{tenant="a"}',
    'a,b=c',
    'ünïcödé 🦥 \u2028',
    ' ',
    '0',
  ]
  await using service = serve({ tenants: { limit: 1000 } })
  for (const tenantId of tenants) await service.subscribe('news', { tenantId })
  const series = (await scrape(service.metrics)).byLabel(name)
  expect(series).toEqual(new Map([...tenants.map((tenant) => [tenant, 1] as const), ['', 0]]))
})

test('whatever tenants there are: no more series than the limit and one, the largest, and the sum of all', () => {
  const byTenant = fc.uniqueArray(fc.tuple(fc.string({ minLength: 1 }), fc.integer({ min: 1, max: 5 })), {
    selector: ([tenant]) => tenant,
  })
  fc.assert(
    fc.property(byTenant, fc.integer({ min: 1, max: 10 }), (tenants, limit) => {
      const active = tenants.reduce((sum, [, count]) => sum + count, 0)
      const none = { total: 0, ended: { byReason: {} }, refused: { byCode: {} } }
      const series = tenantSeries({ ...none, active, byTenant: Object.fromEntries(tenants) }, limit)
      const rest = series.at(-1)
      const named = series.slice(0, -1)
      expect(named).toHaveLength(Math.min(limit, tenants.length))
      expect(rest?.labels).toEqual({ tenant: '' })
      expect(series.reduce((sum, { value }) => sum + value, 0)).toBe(active)
      const sizes = tenants.map(([, count]) => count).sort((a, b) => b - a)
      expect(named.map(({ value }) => value)).toEqual(sizes.slice(0, limit))
      for (const { labels, value } of named) expect(tenants).toContainEqual([labels['tenant'], value])
    }),
  )
})
