import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { Plan } from '../src/plan.ts'
import { run } from '../src/run.ts'
import { graphqlWs, rawSse, rawWs, sluiceGraphqlWs, sluiceYogaSse } from '../src/scenarios/contestants.ts'
import { inProcessScenario } from '../src/scenarios/in-process-scenario.ts'
import { ladderSteps } from '../src/scenarios/ladder.ts'
import type { Scenario } from '../src/scenarios/scenario.ts'
import { type SocketComparison, socketScenario } from '../src/scenarios/socket-scenario.ts'

const plan: Plan = {
  socketCount: 3,
  roundCount: 1,
  warmUpCount: 0,
  roundMs: 5,
  inProcessRoundMs: 5,
  heapCount: 100,
}

const measure = (...scenarios: readonly Scenario[]) => run({ scenarios, plan, launch: 'source', progress: () => {} })

const overSockets = { title: 'small', transport: 'ws', workload: 'order', reference: rawWs.label } as const

describe('a run', { timeout: 120_000 }, () => {
  it('measures servers in processes of their own', async () => {
    const shared: SocketComparison = {
      ...overSockets,
      load: { eventsPerTick: 2 },
      contestants: [rawWs, graphqlWs, sluiceGraphqlWs],
    }
    const overSse: SocketComparison = {
      ...shared,
      transport: 'sse',
      workload: 'board',
      reference: rawSse.label,
      contestants: [rawSse, sluiceYogaSse],
    }
    const { failures, rows } = await measure(socketScenario('S', 'smoke', [shared, overSse]))
    expect(failures).toEqual([])
    const contestants = [...shared.contestants, ...overSse.contestants]
    expect(rows.map(({ server }) => server)).toEqual(contestants.map(({ label }) => label))
    for (const { rounds, cpuMicros, latencyMs, heapBytes, rssBytes } of rows) {
      expect(rounds).toHaveLength(1)
      expect(rounds[0]?.operationCount).toBeGreaterThanOrEqual(6)
      for (const figure of [cpuMicros, latencyMs?.p50, latencyMs?.p99, heapBytes, rssBytes]) {
        expect(figure).toBeGreaterThan(0)
      }
    }
    expect(rows.map(({ ratio }) => ratio?.reference)).toEqual([
      undefined,
      rawWs.label,
      rawWs.label,
      undefined,
      rawSse.label,
    ])
  })

  it('measures resubscriptions, and what needs no sockets', async () => {
    const resubscribe: SocketComparison = { ...overSockets, load: 'resubscribe', contestants: [sluiceGraphqlWs] }
    const { failures, rows } = await measure(
      socketScenario('R', 'smoke', [resubscribe]),
      inProcessScenario({
        id: 'D',
        title: 'smoke',
        experiment: 'dispatch',
        operation: 'dispatch',
        cases: [{ server: 'graphql-js', goals: [{ kind: 'cpu', below: 1e9 }] }],
      }),
    )
    expect(failures).toEqual([])
    expect(rows[0]?.rounds[0]?.operationCount).toBeGreaterThanOrEqual(3)
    expect(rows[1]?.goals.map(({ isReached }) => isReached)).toEqual([true])
    expect(rows).toHaveLength(3)
  })

  it('measures what the ladder takes away, and every message is as it has to be', async () => {
    const comparisons = ladderSteps.map(
      (step): SocketComparison => ({
        ...step,
        contestants: step.contestants.filter(({ variant }) => variant?.without),
      }),
    )
    const { failures, rows } = await measure(socketScenario('L', 'smoke', comparisons))
    expect(failures).toEqual([])
    expect(rows.every(({ rounds }) => rounds.length === 1)).toBe(true)
    expect(
      new Set(comparisons.flatMap(({ contestants }) => contestants.map(({ variant }) => variant?.without))),
    ).toEqual(new Set(['sharedBytes', 'push', 'hooks', 'frames', 'copying', 'sharedBuffer', 'corking']))
  })

  it('goes on when a scenario breaks, and says which', async () => {
    const broken: SocketComparison = {
      ...overSockets,
      load: { eventsPerTick: 1 },
      contestants: [{ ...rawSse, label: 'no WebSocket' }],
    }
    const { failures } = await measure(socketScenario('B', 'broken', [broken]))
    expect(failures).toHaveLength(1)
    expect(failures[0]).toMatchObject({ scenario: 'B', message: expect.stringContaining('no WebSocket') })
  })
})

describe('the command', { timeout: 60_000 }, () => {
  const folder = fileURLToPath(new URL('..', import.meta.url))
  const bench = (...args: readonly string[]) =>
    promisify(execFile)(process.execPath, ['--conditions=@sluice/source', '--import', 'tsx', 'src/main.ts', ...args], {
      cwd: folder,
    })

  it('helps', async () => {
    expect((await bench('--help')).stdout).toContain('npm run bench')
  })

  it.each([
    [['--only', 'P11'], '--only takes some of P1, P2, P3, P4, P5, P6, P7, P8, P9, P10, not "P11".'],
    [['--json', 'nowhere/results.json'], '--json takes a file in a folder that exists'],
  ])('ends with 2 if it is called with %j', async (args, message) => {
    await expect(bench(...args)).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining(message) })
  })
})
