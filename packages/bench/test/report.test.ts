import { describe, expect, it } from 'vitest'
import type { Goal } from '../src/report/goal.ts'
import { type RoundFigures, rowOf, rowWithout } from '../src/report/row.ts'
import { formatTable } from '../src/report/table.ts'
import { withComparisons } from '../src/scenarios/with-comparisons.ts'

/** A round of a hundred operations, of so many microseconds each. */
function round(cpuMicros: number, clientCpuMicros: number | null = null): RoundFigures {
  return {
    operationCount: 100,
    cpuMicros: cpuMicros * 100,
    elapsedMicros: 200_000,
    latencyMicros: { p50: 1000, p99: 2500 },
    clientCpuMicros,
  }
}

const nameOf = (server: string) => ({ scenario: 'P1', title: 'shared', server, operation: 'delivery' })
const raw = rowOf(nameOf('raw'), [round(10), round(100), round(12)])
const ours = rowOf(nameOf('ours'), [round(11), round(110), round(12)])

const judged = (goal: Goal, rows = [raw, ours]) =>
  withComparisons(rows, [{ server: 'ours', reference: 'raw', goals: [goal] }]).find(({ server }) => server === 'ours')

describe('a row', () => {
  it('has the medians of its rounds', () => {
    expect(ours).toMatchObject({
      cpuMicros: 12,
      perSecond: 500,
      latencyMs: { p50: 1, p99: 2.5 },
      clientBusyShare: null,
    })
  })

  it('is compared round by round', () => {
    expect(judged({ kind: 'ratio', reference: 'raw', atMost: 1.15 })?.ratio).toEqual({ value: 1.1, reference: 'raw' })
  })

  it.each([
    [
      { kind: 'ratio', reference: 'raw', atMost: 1.15 },
      { measured: '1.10 ×', isReached: true },
    ],
    [
      { kind: 'ratio', reference: 'raw', atMost: 1.05 },
      { measured: '1.10 ×', isReached: false },
    ],
    [
      { kind: 'cheaper', than: 'raw', atLeast: 0.9 },
      { measured: '0.9 ×', isReached: true },
    ],
    [
      { kind: 'cheaper', than: 'raw', atLeast: 2 },
      { measured: '0.9 ×', isReached: false },
    ],
    [
      { kind: 'cpu', below: 12 },
      { measured: '12.000 µs', isReached: false },
    ],
    [
      { kind: 'perCpuSecond', atLeast: 83_000 },
      { measured: '83,333', isReached: true },
    ],
  ] as const)('reaches %j, or does not', (goal, outcome) => {
    expect(judged(goal)?.goals).toEqual([{ goal: expect.any(String), ...outcome }])
  })

  it('is not judged by what was not measured', () => {
    expect(judged({ kind: 'cheaper', than: 'somebody', atLeast: 1 })?.goals).toEqual([])
    expect(judged({ kind: 'heap', atMost: 1 })?.goals).toEqual([])
    expect(judged({ kind: 'cpu', below: 1 }, [raw, rowWithout(nameOf('ours'), 'gone')])).toMatchObject({
      ratio: null,
      goals: [],
    })
  })
})

describe('the table', () => {
  it('has a line for each row and goal, and says what is missed or not available', () => {
    const rows = withComparisons(
      [raw, ours, rowWithout(nameOf('compiled'), '@sluice/jit is not there')],
      [
        {
          server: 'ours',
          reference: 'raw',
          goals: [
            { kind: 'ratio', reference: 'raw', atMost: 1.15 },
            { kind: 'cheaper', than: 'raw', atLeast: 5 },
          ],
        },
      ],
    )
    const [, , ...lines] = formatTable(rows).split('\n')
    expect(lines).toHaveLength(4)
    expect(lines[0]).toMatch(/^P1 shared {2}raw +12\.00 +delivery/)
    expect(lines[1]).toMatch(/^ +ours +12\.00 +delivery +1\.10 × +500 +1\.00 +2\.50 .*≤ 1\.15 × raw +1\.10 × {2}✓$/)
    expect(lines[2]).toMatch(/^ +≥ 5 × cheaper than raw +0\.9 × {2}✗$/)
    expect(lines[3]).toMatch(/^ +compiled +not available: @sluice\/jit is not there$/)
  })

  it('says where it was the clients that were slow', () => {
    expect(formatTable([rowOf(nameOf('raw'), [round(10, 190_000)])])).toContain('500*')
    expect(formatTable([rowOf(nameOf('raw'), [round(10, 100_000)])])).not.toContain('*')
  })
})
