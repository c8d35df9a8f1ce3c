import type { Plan } from '../plan.ts'
import type { Launch } from '../processes/launch.ts'
import type { Progress } from '../report/progress.ts'
import type { Row } from '../report/row.ts'

export interface ScenarioContext {
  readonly plan: Plan
  readonly launch: Launch
  readonly progress: Progress
  /** Where to write a profile of each server, from a round more that does not count. */
  readonly profileFolder: string | null
}

/** A line of the bar, or the ladder. */
export interface Scenario {
  readonly id: string
  readonly title: string
  /** @throws Error if something broke: a process, or what it delivered */
  run(context: ScenarioContext): Promise<Row[]>
}

/** Where the profile of a row goes. */
export function profileFile(folder: string, ...names: readonly string[]): string {
  const name = names.join('-').replaceAll(/[^a-zA-Z0-9]+/g, '-')
  return `${folder}/${name.replace(/-$/, '')}.cpuprofile`
}
