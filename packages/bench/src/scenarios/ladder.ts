import type { ServerVariant, Technique } from '../servers/bench-server.ts'
import type { Scenario } from './scenario.ts'
import { type Contestant, type SocketComparison, socketScenario } from './socket-scenario.ts'

const everything: Contestant = { label: 'Sluice, all of it', server: 'sluice-without' }
const everythingInYoga: Contestant = { label: 'Sluice · Yoga, all of it', server: 'sluice-yoga-without' }

function without(technique: Technique, label: string): Contestant {
  const variant: Partial<ServerVariant> = technique === 'grouping' ? { share: 'subscriber' } : { without: technique }
  return { label: `without ${label}`, server: 'sluice-without', variant }
}

const pulledInYoga: Contestant = {
  label: 'without hooks in passing (pulled)',
  server: 'sluice-yoga-without',
  variant: { without: 'hooks' },
}

function step(
  { title, transport = 'ws', workload = 'order', eventsPerTick = 1 }: StepOptions,
  [reference, ...others]: readonly [Contestant, ...Contestant[]],
): SocketComparison {
  return {
    title,
    transport,
    workload,
    load: { eventsPerTick },
    reference: reference.label,
    contestants: [reference, ...others],
  }
}

interface StepOptions extends Partial<Pick<SocketComparison, 'transport' | 'workload'>> {
  readonly title: string
  readonly eventsPerTick?: number
}

/** Everything, and everything but one. */
export const ladderSteps: readonly SocketComparison[] = [
  step({ title: '1 a tick, 450 B' }, [
    everything,
    without('grouping', 'grouping'),
    without('sharedBytes', 'shared bytes'),
    without('push', 'push'),
    without('frames', 'whole frames (ws makes them)'),
    without('copying', 'copying (two buffers)'),
    without('corking', 'corking'),
  ]),
  step({ title: '8 a tick, 450 B', eventsPerTick: 8 }, [
    everything,
    without('corking', 'corking'),
    without('push', 'push'),
    without('frames', 'whole frames (ws makes them)'),
  ]),
  step({ title: '1 a tick, 5 KB', workload: 'board' }, [
    everything,
    without('sharedBytes', 'shared bytes'),
    without('frames', 'whole frames (two fragments)'),
    without('sharedBuffer', 'shared buffer (copies)'),
    without('corking', 'corking'),
  ]),
  step({ title: 'Yoga, WebSocket' }, [everythingInYoga, pulledInYoga]),
  step({ title: 'Yoga, SSE', transport: 'sse' }, [everythingInYoga, pulledInYoga]),
]

/** What each technique brings. */
export const ladder: Scenario = socketScenario('ladder', 'one technique off at a time', ladderSteps)
