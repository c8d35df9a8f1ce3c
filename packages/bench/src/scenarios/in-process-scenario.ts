import type { CaseFindings, ExperimentName } from '../in-process/experiment.ts'
import type { InProcessCommands } from '../processes/in-process.ts'
import { launch } from '../processes/launch.ts'
import { heapRow, type Row, rowOf, rowWithout } from '../report/row.ts'
import { Remote } from '../rpc/remote.ts'
import { profileFile, type Scenario } from './scenario.ts'
import { type Comparison, withComparisons } from './with-comparisons.ts'

/** How long an experiment may take, in milliseconds. */
const TIMEOUT_MS = 600_000

/** A scenario without sockets, in a process of its own. */
export interface InProcessScenarioOptions {
  readonly id: string
  readonly title: string
  readonly experiment: ExperimentName
  /** What is counted. */
  readonly operation: string
  /** The cases of the experiment, by their names. */
  readonly cases: readonly Comparison[]
}

export function inProcessScenario({ id, title, experiment, operation, cases }: InProcessScenarioOptions): Scenario {
  const toRow = (found: CaseFindings): Row => {
    const name = { scenario: id, title, server: `Sluice · ${found.name}`, operation }
    if ('notAvailable' in found) return rowWithout(name, found.notAvailable)
    if ('heapBytesEach' in found) return heapRow(name, found.heapBytesEach)
    return rowOf(
      name,
      found.rounds.map((round) => ({ ...round, latencyMicros: null, clientCpuMicros: null })),
    )
  }
  return {
    id,
    title,
    async run({ plan, progress, launch: from, profileFolder }) {
      progress(`${id} ${title}: in-process`)
      const remote = new Remote<InProcessCommands>(launch('in-process', from), `${id} ${title}`)
      try {
        const { cases: found } = await remote.call('run', { experiment, plan, profile: null }, TIMEOUT_MS)
        const memory = await remote.call('memory', null)
        if (profileFolder !== null) {
          progress(`${id} ${title}: profile`)
          const profile = profileFile(profileFolder, id, title)
          await remote.call(
            'run',
            { experiment, plan: { ...plan, warmUpCount: 0, roundCount: 1 }, profile },
            TIMEOUT_MS,
          )
        }
        const rows = found.map((one) => ({ ...toRow(one), ...memory }))
        return withComparisons(
          rows,
          cases.map((one) => ({ ...one, server: `Sluice · ${one.server}` })),
        )
      } finally {
        await remote.stop()
      }
    },
  }
}
