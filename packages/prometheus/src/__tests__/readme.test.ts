import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { type Family, scrape } from './exposition.ts'
import { serve } from './service.ts'

interface Row {
  readonly name: string
  readonly type: string
  readonly labels: readonly string[]
}

/** The lines of the table of metrics: `name` | type | `label`, … | meaning. */
function rowsOf(readme: string): Row[] {
  return [...readme.matchAll(/^\| `(\w+)` \| (\w+) \|([^|]*)\|[^|]+\|$/gm)].map(
    ([, name = '', type = '', labels = '']) => ({
      name,
      type,
      labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label = '']) => label),
    }),
  )
}

function rowOf({ name, type, metrics }: Family): Row {
  return {
    name,
    type: type.toLowerCase(),
    labels: [...new Set(metrics.flatMap(({ labels = {} }) => Object.keys(labels)))],
  }
}

async function scrapeOfAll(): Promise<readonly Family[]> {
  await using service = serve({ tenants: { limit: 1 } })
  await service.attempt('news', null)
  return (await scrape(service.metrics)).families
}

const byName = (a: Row, b: Row): number => (a.name < b.name ? -1 : 1)

test("the README's table has every metric that there is, with its type and labels, and no other", async () => {
  const rows = rowsOf(readFileSync(new URL('../../README.md', import.meta.url), 'utf8'))
  const families = await scrapeOfAll()
  expect(rows.sort(byName)).toEqual(families.map(rowOf).sort(byName))
})

test('names and help texts follow the conventions of Prometheus', async () => {
  for (const { name, help, type } of await scrapeOfAll()) {
    expect(name).toMatch(/^graphql_subscriptions_[a-z]+(_[a-z]+)*$/)
    expect(name.endsWith('_total'), name).toBe(type === 'COUNTER')
    // The unit of what is measured is the last word, once.
    expect(/_(seconds|bytes)$/.test(name), name).toBe(type === 'HISTOGRAM')
    expect(name.match(/_(total|seconds|bytes|milliseconds|count|sum|bucket|info)\b/g)?.length ?? 0).toBeLessThan(2)
    expect(help).toMatch(/^[\w ].{20,}\.$/)
  }
})
