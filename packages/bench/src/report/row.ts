import { median } from '../statistics.ts'
import type { GoalOutcome } from './goal.ts'

/** One round, as it was measured. Times are in microseconds. */
export interface RoundFigures {
  readonly operationCount: number
  readonly cpuMicros: number
  readonly elapsedMicros: number
  readonly latencyMicros: { readonly p50: number; readonly p99: number } | null
  /** CPU time of the process with the clients. */
  readonly clientCpuMicros: number | null
}

/** What was found out about one server, or one case, in one scenario. */
export interface Row {
  readonly scenario: string
  readonly title: string
  readonly server: string
  /** What is counted: a delivery, a publish … */
  readonly operation: string
  /** Server CPU per operation: the median of the rounds. `null` where something else is measured. */
  readonly cpuMicros: number | null
  readonly ratio: { readonly value: number; readonly reference: string } | null
  readonly perSecond: number | null
  readonly latencyMs: { readonly p50: number; readonly p99: number } | null
  readonly rssBytes: number | null
  readonly heapBytes: number | null
  /** Bytes of heap for each, where that is what is measured. */
  readonly heapBytesEach: number | null
  /** The share of the time for which the clients' process was busy: near 1, it is what bounds the throughput. */
  readonly clientBusyShare: number | null
  readonly goals: readonly GoalOutcome[]
  /** Why there are no figures. */
  readonly notAvailable: string | null
  readonly rounds: readonly RoundFigures[]
}

/** What says what a row is about. */
export type RowName = Pick<Row, 'scenario' | 'title' | 'server' | 'operation'>

export function cpuOf(rounds: readonly RoundFigures[]): number[] {
  return rounds.map(({ cpuMicros, operationCount }) => cpuMicros / operationCount)
}

const empty = {
  cpuMicros: null,
  ratio: null,
  perSecond: null,
  latencyMs: null,
  rssBytes: null,
  heapBytes: null,
  heapBytesEach: null,
  clientBusyShare: null,
  goals: [],
  notAvailable: null,
  rounds: [],
} as const

export function rowWithout(name: RowName, notAvailable: string): Row {
  return { ...empty, ...name, notAvailable }
}

export function heapRow(name: RowName, heapBytesEach: readonly number[]): Row {
  return { ...empty, ...name, heapBytesEach: median(heapBytesEach) }
}

/** The medians of the rounds. */
export function rowOf(name: RowName, rounds: readonly RoundFigures[]): Row {
  const latencies = rounds.flatMap(({ latencyMicros }) => latencyMicros ?? [])
  const busyShares = rounds.flatMap(({ clientCpuMicros, elapsedMicros }) =>
    clientCpuMicros === null ? [] : [clientCpuMicros / elapsedMicros],
  )
  return {
    ...empty,
    ...name,
    cpuMicros: median(cpuOf(rounds)),
    perSecond: median(rounds.map(({ operationCount, elapsedMicros }) => (operationCount / elapsedMicros) * 1e6)),
    latencyMs:
      latencies.length === 0
        ? null
        : { p50: median(latencies.map(({ p50 }) => p50 / 1000)), p99: median(latencies.map(({ p99 }) => p99 / 1000)) },
    clientBusyShare: busyShares.length === 0 ? null : median(busyShares),
    rounds,
  }
}
