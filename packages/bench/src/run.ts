import type { Plan } from './plan.ts'
import type { Launch } from './processes/launch.ts'
import { environment } from './report/environment.ts'
import type { Progress } from './report/progress.ts'
import type { Failure, Results } from './report/results.ts'
import type { Row } from './report/row.ts'
import type { Scenario } from './scenarios/scenario.ts'

export interface RunOptions {
  readonly scenarios: readonly Scenario[]
  readonly plan: Plan
  readonly launch: Launch
  readonly progress: Progress
  readonly profileFolder?: string | null
}

/** Runs scenarios, one after the other; one that breaks is no reason not to run the others. */
export async function run({ scenarios, plan, launch, progress, profileFolder = null }: RunOptions): Promise<Results> {
  const date = new Date().toISOString()
  const rows: Row[] = []
  const failures: Failure[] = []
  for (const scenario of scenarios) {
    try {
      rows.push(...(await scenario.run({ plan, launch, progress, profileFolder })))
    } catch (error) {
      failures.push({ scenario: scenario.id, message: error instanceof Error ? error.message : String(error) })
    }
  }
  return { date, environment: environment(), plan, rows, failures }
}
