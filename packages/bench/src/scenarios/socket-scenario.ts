import type { Goal } from '../report/goal.ts'
import { type Row, type RoundFigures, rowOf, rowWithout } from '../report/row.ts'
import { Rig } from '../rig.ts'
import type { ServerVariant } from '../servers/bench-server.ts'
import type { ServerName, Transport } from '../servers/server-registry.ts'
import type { WorkloadName } from '../workload/workload.ts'
import { profileFile, type Scenario, type ScenarioContext } from './scenario.ts'
import { withComparisons } from './with-comparisons.ts'

/** One server of a comparison. */
export interface Contestant {
  readonly label: string
  readonly server: ServerName
  readonly variant?: Partial<ServerVariant>
  readonly goals?: readonly Goal[]
}

/** Servers that are measured side by side, in turn, round by round. */
export interface SocketComparison {
  readonly title: string
  readonly transport: Transport
  readonly workload: WorkloadName
  /** What is measured: events to everybody, so many a tick; or that everybody subscribes anew. */
  readonly load: { readonly eventsPerTick: number } | 'resubscribe'
  /** The label of the contestant that the others' ratios are to. */
  readonly reference: string
  readonly contestants: readonly Contestant[]
}

interface Running {
  readonly contestant: Contestant
  readonly rig: Rig
  readonly rounds: RoundFigures[]
}

/** A scenario over real sockets. */
export function socketScenario(id: string, title: string, comparisons: readonly SocketComparison[]): Scenario {
  return {
    id,
    title,
    async run(context) {
      const rows: Row[] = []
      for (const comparison of comparisons) rows.push(...(await compare(id, comparison, context)))
      return rows
    },
  }
}

async function compare(id: string, comparison: SocketComparison, context: ScenarioContext): Promise<Row[]> {
  const { title, contestants, reference, load } = comparison
  const { plan, progress, profileFolder } = context
  const step = (text: string): void => progress(`${id} ${title}: ${text}`)
  const nameOf = ({ label }: Contestant) => ({
    scenario: id,
    title,
    server: label,
    operation: load === 'resubscribe' ? 'resubscription' : 'delivery',
  })

  step(`starting ${contestants.length} servers, ${plan.socketCount} sockets each`)
  const { running, rows } = await startAll(comparison, context, nameOf)
  try {
    for (let round = -plan.warmUpCount; round < plan.roundCount; round += 1) {
      // Every other round the other way round, so that nobody is always measured after the same other one.
      for (const { contestant, rig, rounds } of round % 2 === 0 ? running : running.toReversed()) {
        step(`${round < 0 ? 'warm-up' : `round ${round + 1} of ${plan.roundCount}`}, ${contestant.label}`)
        const figures = await loadOnce(rig, load, plan.roundMs)
        if (round >= 0) rounds.push(figures)
      }
    }
    for (const { contestant, rig, rounds } of running) {
      rows.push({ ...rowOf(nameOf(contestant), rounds), ...(await rig.memory()) })
      if (profileFolder === null) continue
      step(`profile, ${contestant.label}`)
      const file = profileFile(profileFolder, id, title, contestant.label)
      await rig.profile(file, () => loadOnce(rig, load, plan.roundMs))
    }
  } finally {
    await Promise.all(running.map(({ rig }) => rig.stop()))
  }
  const inOrder = contestants.flatMap(({ label }) => rows.find(({ server }) => server === label) ?? [])
  return withComparisons(
    inOrder,
    contestants.map(({ label, goals }) => ({ server: label, reference, goals })),
  )
}

async function startAll(
  { contestants, transport, workload }: SocketComparison,
  { plan, launch }: ScenarioContext,
  nameOf: (contestant: Contestant) => Parameters<typeof rowWithout>[0],
): Promise<{ readonly running: Running[]; readonly rows: Row[] }> {
  const running: Running[] = []
  const rows: Row[] = []
  const starting = contestants.map(async (contestant) => {
    const { label, server, variant } = contestant
    const rig = await Rig.start({
      label,
      server,
      transport,
      workload,
      launch,
      socketCount: plan.socketCount,
      share: 'tenant',
      isCompiled: false,
      without: null,
      ...variant,
    })
    if ('notAvailable' in rig) rows.push(rowWithout(nameOf(contestant), rig.notAvailable))
    else running.push({ contestant, rig, rounds: [] })
  })
  const failure = (await Promise.allSettled(starting)).find(({ status }) => status === 'rejected')
  running.sort((a, b) => contestants.indexOf(a.contestant) - contestants.indexOf(b.contestant))
  if (failure === undefined) return { running, rows }
  await Promise.all(running.map(({ rig }) => rig.stop()))
  throw (failure as PromiseRejectedResult).reason
}

function loadOnce(rig: Rig, load: SocketComparison['load'], durationMs: number): Promise<RoundFigures> {
  return load === 'resubscribe' ? rig.resubscribe(durationMs) : rig.round({ durationMs, ...load })
}
