import { createRequire } from 'node:module'
import { expect } from 'vitest'
import type { ExecutorMetrics } from '../collect-metrics.ts'

/** What parse-prometheus-text-format, which has no types, makes of a metric. Numbers are strings. */
export interface Family {
  readonly name: string
  readonly help: string
  readonly type: 'COUNTER' | 'GAUGE' | 'HISTOGRAM'
  readonly metrics: readonly Sample[]
}

interface Sample {
  readonly value?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly buckets?: Readonly<Record<string, string>>
  readonly count?: string
  readonly sum?: string
}

const require = createRequire(import.meta.url)
const parse = require('parse-prometheus-text-format') as (text: string) => Family[]

/** A scrape, as an independent parser reads it. */
export async function scrape({ render }: Pick<ExecutorMetrics, 'render'>): Promise<Scrape> {
  const { body, contentType } = await render()
  expect(contentType).toBe('text/plain; version=0.0.4; charset=utf-8')
  // The parser merges what is there twice; Prometheus refuses the whole scrape for it.
  const series = body.split('\n').flatMap((line) => (line.startsWith('#') ? [] : [line.replace(/ \S+$/, '')]))
  expect(series.filter((each, index) => each !== '' && series.indexOf(each) !== index)).toEqual([])
  return new Scrape(parse(body))
}

export class Scrape {
  readonly families: readonly Family[]

  constructor(families: readonly Family[]) {
    this.families = families
  }

  get names(): string[] {
    return this.families.map(({ name }) => name)
  }

  /** Each counter and gauge with a name that begins so, by name and labels as one would query it. */
  values(prefix = ''): Record<string, number> {
    return Object.fromEntries(
      this.families
        .filter(({ name, type }) => name.startsWith(prefix) && type !== 'HISTOGRAM')
        .flatMap(({ name, metrics }) =>
          metrics.map(({ labels, value }) => [`${name}${written(labels)}`, Number(value)] as const),
        ),
    )
  }

  /** The values of a metric with one label, by the label's value. */
  byLabel(name: string): Map<string | undefined, number> {
    return new Map(this.#samples(name).map(({ labels, value }) => [Object.values(labels ?? {})[0], Number(value)]))
  }

  histogram(name: string): { count: number; sum: number; buckets: Record<string, number> } {
    const [sample, ...others] = this.#samples(name)
    if (sample === undefined || others.length > 0) throw new Error(`${name} is not one series`)
    const { count, sum, buckets } = sample
    const counts = Object.entries(buckets ?? {}).map(([bound, value]) => [bound, Number(value)] as const)
    return { count: Number(count), sum: Number(sum), buckets: Object.fromEntries(counts) }
  }

  #samples(name: string): readonly Sample[] {
    const family = this.families.find((each) => each.name === name)
    if (family === undefined) throw new Error(`${name} is not in the scrape`)
    return family.metrics
  }
}

function written(labels: Sample['labels']): string {
  if (labels === undefined) return ''
  return `{${Object.entries(labels)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(',')}}`
}
