import { nowMicros } from '../clock.ts'

/** Something that is done over and over. */
export interface Case {
  readonly name: string
  /** Does it so many times. */
  run(count: number): Promise<void>
}

export interface CaseRound {
  readonly operationCount: number
  readonly cpuMicros: number
  readonly elapsedMicros: number
}

export interface MeasureOptions {
  readonly warmUpCount: number
  readonly roundCount: number
  readonly roundMs: number
}

/** Rounds of each case, in turn, so that whatever the machine does meanwhile it does to all of them. */
export async function measureCases(
  cases: readonly Case[],
  { warmUpCount, roundCount, roundMs }: MeasureOptions,
): Promise<CaseRound[][]> {
  const counts: number[] = []
  for (const one of cases) counts.push(await countFor(one, roundMs))
  const rounds: CaseRound[][] = cases.map(() => [])
  for (let round = -warmUpCount; round < roundCount; round += 1) {
    for (const [index, one] of cases.entries()) {
      const measured = await measure(one, counts[index] as number)
      if (round >= 0) rounds[index]?.push(measured)
    }
  }
  return rounds
}

/** How often it can be done in that time. The first times, which are slower, are not what is counted. */
async function countFor(one: Case, roundMs: number): Promise<number> {
  for (let count = 8; ; count *= 2) {
    const { elapsedMicros } = await measure(one, count)
    if (elapsedMicros < (roundMs * 1000) / 4) continue
    return Math.max(1, Math.round((count * roundMs * 1000) / elapsedMicros))
  }
}

async function measure(one: Case, operationCount: number): Promise<CaseRound> {
  const cpu = process.cpuUsage()
  const begun = nowMicros()
  await one.run(operationCount)
  const { user, system } = process.cpuUsage(cpu)
  return { operationCount, cpuMicros: user + system, elapsedMicros: nowMicros() - begun }
}
