import type { MetricsSnapshot } from '@sluice/core'
import type * as PromClient from 'prom-client'
import type { MetricName } from './metrics-registry.ts'

/** One line of a metric. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** How a metric's series are read from a snapshot. */
export interface SeriesReader {
  readonly labelNames: readonly string[]
  readonly read: (snapshot: MetricsSnapshot) => readonly Series[]
}

/** A counter or gauge, described. */
export interface SnapshotMetric extends SeriesReader {
  readonly type: 'counter' | 'gauge'
  readonly name: MetricName
  /** What it is, for whoever looks at a graph of it for the first time. */
  readonly help: string
}

export function counter(name: `${MetricName}_total`, help: string, reader: SeriesReader): SnapshotMetric {
  return { type: 'counter', name, help, ...reader }
}

export function gauge(name: MetricName, help: string, reader: SeriesReader): SnapshotMetric {
  return { type: 'gauge', name, help, ...reader }
}

/** One series, without labels. */
export function one(value: (snapshot: MetricsSnapshot) => number): SeriesReader {
  return { labelNames: [], read: (snapshot) => [{ labels: {}, value: value(snapshot) }] }
}

/** A series for each name in a record. */
export function by(
  labelName: string,
  values: (snapshot: MetricsSnapshot) => Readonly<Record<string, number>>,
): SeriesReader {
  return {
    labelNames: [labelName],
    read: (snapshot) =>
      Object.entries(values(snapshot)).map(([name, value]) => ({ labels: { [labelName]: name }, value })),
  }
}

/**
 * The metric, in no registry yet. Each scrape sets it to what the snapshot says. A `reset` leaves what a scrape under way
 * has read as it is, and between it and the last value nobody can look.
 */
export function createSnapshotMetric(
  { Counter, Gauge }: typeof PromClient,
  { type, name, help, labelNames, read }: SnapshotMetric,
  snapshot: () => MetricsSnapshot,
): object {
  const configuration = { name, help, labelNames, registers: [] }
  if (type === 'counter') {
    return new Counter({
      ...configuration,
      collect() {
        this.reset()
        for (const { labels, value } of read(snapshot())) this.inc(labels, value)
      },
    })
  }
  return new Gauge({
    ...configuration,
    collect() {
      this.reset()
      for (const { labels, value } of read(snapshot())) this.set(labels, value)
    },
  })
}
