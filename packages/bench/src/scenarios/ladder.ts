import type { ServerVariant, Technique } from '../servers/bench-server.ts'
import type { WorkloadName } from '../workload/workload.ts'
import type { Scenario } from './scenario.ts'
import { type Contestant, type SocketComparison, socketScenario } from './socket-scenario.ts'

const everything: Contestant = { label: 'Sluice, all of it', server: 'sluice-without' }

function without(technique: Technique, label: string): Contestant {
  const variant: Partial<ServerVariant> = technique === 'grouping' ? { share: 'subscriber' } : { without: technique }
  return { label: `without ${label}`, server: 'sluice-without', variant }
}

function step(
  title: string,
  workload: WorkloadName,
  eventsPerTick: number,
  contestants: readonly Contestant[],
): SocketComparison {
  return {
    title,
    transport: 'ws',
    workload,
    load: { eventsPerTick },
    reference: everything.label,
    contestants: [everything, ...contestants],
  }
}

/** What each technique brings: everything, and everything but one. */
export const ladder: Scenario = socketScenario('ladder', 'one technique off at a time', [
  step('1 a tick, 450 B', 'order', 1, [
    without('grouping', 'grouping'),
    without('sharedBytes', 'shared bytes'),
    without('push', 'push'),
    without('copying', 'copying (fragments instead)'),
    without('corking', 'corking'),
  ]),
  step('8 a tick, 450 B', 'order', 8, [without('corking', 'corking'), without('push', 'push')]),
  step('1 a tick, 5 KB', 'board', 1, [
    without('fragments', 'fragments (copies instead)'),
    without('corking', 'corking'),
    without('sharedBytes', 'shared bytes'),
  ]),
])
