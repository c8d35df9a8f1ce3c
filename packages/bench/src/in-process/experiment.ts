import type { Plan } from '../plan.ts'
import type { CaseRound } from './measure-cases.ts'

/** What an in-process experiment found. */
export interface Findings {
  readonly cases: readonly CaseFindings[]
}

export type CaseFindings =
  | { readonly name: string; readonly rounds: readonly CaseRound[] }
  | { readonly name: string; readonly notAvailable: string }
  | { readonly name: string; readonly heapBytesEach: readonly number[] }

/** Something that needs no sockets. */
export type Experiment = (plan: Plan) => Promise<Findings>

export type ExperimentName = 'routing' | 'filter' | 'heap' | 'security' | 'dispatch'
