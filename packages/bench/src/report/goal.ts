/** A line of the bar. */
export type Goal =
  /** CPU over that of another row. */
  | { readonly kind: 'ratio'; readonly reference: string; readonly atMost: number }
  /** CPU of another row over this one's. */
  | { readonly kind: 'cheaper'; readonly than: string; readonly atLeast: number }
  /** CPU of one operation, in microseconds. */
  | { readonly kind: 'cpu'; readonly below: number }
  /** Operations in a second of CPU time. */
  | { readonly kind: 'perCpuSecond'; readonly atLeast: number }
  /** Bytes of heap for each. */
  | { readonly kind: 'heap'; readonly atMost: number }

export interface GoalOutcome {
  readonly goal: string
  readonly measured: string
  readonly isReached: boolean
}

/** What goals are judged by. */
export interface Measured {
  readonly cpuMicros: number | null
  readonly heapBytesEach: number | null
  /** This row's CPU over that of the row of that name, or `undefined` if that has none. */
  ratioTo(reference: string): number | undefined
}

/** Whether it was reached, or nothing if what it needs was not measured. */
export function judge(goal: Goal, { cpuMicros, heapBytesEach, ratioTo }: Measured): GoalOutcome | undefined {
  switch (goal.kind) {
    case 'ratio': {
      const ratio = ratioTo(goal.reference)
      if (ratio === undefined) return undefined
      return outcome(`≤ ${goal.atMost} × ${goal.reference}`, `${ratio.toFixed(2)} ×`, ratio <= goal.atMost)
    }
    case 'cheaper': {
      const ratio = ratioTo(goal.than)
      if (ratio === undefined) return undefined
      const factor = 1 / ratio
      return outcome(`≥ ${goal.atLeast} × cheaper than ${goal.than}`, `${factor.toFixed(1)} ×`, factor >= goal.atLeast)
    }
    case 'cpu':
      if (cpuMicros === null) return undefined
      return outcome(`< ${goal.below} µs`, `${cpuMicros.toFixed(3)} µs`, cpuMicros < goal.below)
    case 'perCpuSecond': {
      if (cpuMicros === null) return undefined
      const perSecond = 1e6 / cpuMicros
      return outcome(`≥ ${grouped(goal.atLeast)} a second of CPU`, grouped(perSecond), perSecond >= goal.atLeast)
    }
    case 'heap':
      if (heapBytesEach === null) return undefined
      return outcome(`≤ ${grouped(goal.atMost)} B each`, `${grouped(heapBytesEach)} B`, heapBytesEach <= goal.atMost)
  }
}

function outcome(goal: string, measured: string, isReached: boolean): GoalOutcome {
  return { goal, measured, isReached }
}

function grouped(value: number): string {
  return Math.round(value).toLocaleString('en')
}
