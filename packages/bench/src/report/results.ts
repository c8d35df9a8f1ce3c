import type { Plan } from '../plan.ts'
import type { Environment } from './environment.ts'
import type { Row } from './row.ts'

export interface Failure {
  readonly scenario: string
  readonly message: string
}

/** What a run found out: what `bench-results.json` holds. */
export interface Results {
  /** ISO 8601. */
  readonly date: string
  readonly environment: Environment
  readonly plan: Plan
  readonly rows: readonly Row[]
  /** What broke, and so has no rows. */
  readonly failures: readonly Failure[]
}
