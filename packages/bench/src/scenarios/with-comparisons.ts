import { type Goal, judge } from '../report/goal.ts'
import { cpuOf, type Row } from '../report/row.ts'
import { medianRatio } from '../statistics.ts'

/** How rows that were measured side by side are compared. */
export interface Comparison {
  readonly server: string
  /** What its ratio is to. */
  readonly reference?: string | undefined
  readonly goals?: readonly Goal[] | undefined
}

/** The rows, with their ratios and goals. */
export function withComparisons(rows: readonly Row[], comparisons: readonly Comparison[]): Row[] {
  return rows.map((row) => {
    const { reference, goals = [] } = comparisons.find(({ server }) => server === row.server) ?? {}
    const ratioTo = (server: string): number | undefined => {
      const other = rows.find((candidate) => candidate.server === server)
      if (other === undefined || other.rounds.length === 0 || row.rounds.length === 0) return undefined
      return medianRatio(cpuOf(row.rounds), cpuOf(other.rounds))
    }
    const value = reference === undefined || reference === row.server ? undefined : ratioTo(reference)
    return {
      ...row,
      ratio: reference === undefined || value === undefined ? null : { value, reference },
      goals: goals.flatMap((goal) => judge(goal, { ...row, ratioTo }) ?? []),
    }
  })
}
