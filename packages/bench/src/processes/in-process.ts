// The process of an experiment that needs no sockets.
import { dispatch } from '../in-process/dispatch.ts'
import type { Experiment, ExperimentName, Findings } from '../in-process/experiment.ts'
import { filter } from '../in-process/filter.ts'
import { heap } from '../in-process/heap.ts'
import { routing } from '../in-process/routing.ts'
import { security } from '../in-process/security.ts'
import type { Plan } from '../plan.ts'
import { serve } from '../rpc/serve.ts'
import { startProfile } from './cpu-profiler.ts'
import { type Memory, measureMemory } from './memory.ts'

export interface ExperimentOptions {
  readonly experiment: ExperimentName
  readonly plan: Plan
  /** Where to write a `.cpuprofile` of it, if anywhere. */
  readonly profile: string | null
}

export interface InProcessCommands {
  run(options: ExperimentOptions): Promise<Findings>
  memory(nothing: null): Memory
}

const experiments: Readonly<Record<ExperimentName, Experiment>> = { routing, filter, heap, security, dispatch }

serve<InProcessCommands>({
  async run({ experiment, plan, profile }) {
    const writeProfile = profile === null ? undefined : await startProfile()
    const findings = await experiments[experiment](plan)
    if (profile !== null) await writeProfile?.(profile)
    return findings
  },
  memory: measureMemory,
})
