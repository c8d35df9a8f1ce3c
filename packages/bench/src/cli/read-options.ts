import { parseArgs } from 'node:util'
import { fullPlan, type Plan, quickPlan } from '../plan.ts'

export interface BenchOptions {
  /** The ids of the scenarios; all of the bar if there are none. */
  readonly only: readonly string[]
  readonly isLadder: boolean
  readonly plan: Plan
  readonly jsonFile: string
  readonly profileFolder: string | null
  /** Whether `dist` is brought up to date first. */
  readonly isBuilding: boolean
  readonly isHelp: boolean
}

/** What the caller typed cannot be used; the message says what to type instead. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

const DEFAULT_JSON_FILE = 'bench-results.json'

export const help: string = `Measures Sluice and its peers, side by side, and writes the figures to a file.

  npm run bench                       all of P1 to P10; takes some seven minutes on two cores
  npm run bench -- --quick            whether everything works, with rough figures; less than a minute
  npm run bench -- --ladder           what each technique brings, by switching one off at a time

  --only <P1,P4>      some scenarios
  --rounds <n>        rounds of each server; the median counts (default: ${fullPlan.roundCount}, quick: ${quickPlan.roundCount})
  --sockets <n>       sockets of each server (default: ${fullPlan.socketCount}, quick: ${quickPlan.socketCount})
  --json <path>       where the figures go (default: ${DEFAULT_JSON_FILE})
  --profile <folder>  profiles each server in a round more, as .cpuprofile files
  --no-build          measures what dist has, even if the sources are newer
  --help              this text

It ends with 0 whatever the figures are, with 1 if something broke, and with 2 if it was called wrongly.
`

/** @param scenarioIds the scenarios that there are @throws UsageError */
export function readOptions(args: readonly string[], scenarioIds: readonly string[]): BenchOptions {
  const values = parse(args)
  const { quick, ladder: isLadder, json, profile } = values
  if (isLadder && values.only !== undefined) throw new UsageError('--ladder and --only cannot be used together.')
  if (json === '') throw new UsageError('--json takes the path of a file, not an empty one.')
  if (profile === '') throw new UsageError('--profile takes the path of a folder, not an empty one.')
  const plan = quick ? quickPlan : fullPlan
  return {
    only: values.only === undefined ? [] : readIds(values.only, scenarioIds),
    isLadder,
    plan: {
      ...plan,
      roundCount: readCount('rounds', values.rounds, 1000) ?? plan.roundCount,
      socketCount: readCount('sockets', values.sockets, 20_000) ?? plan.socketCount,
    },
    jsonFile: json ?? DEFAULT_JSON_FILE,
    profileFolder: profile ?? null,
    isBuilding: !values['no-build'],
    isHelp: values.help,
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        quick: { type: 'boolean', default: false },
        only: { type: 'string' },
        ladder: { type: 'boolean', default: false },
        rounds: { type: 'string' },
        sockets: { type: 'string' },
        json: { type: 'string' },
        profile: { type: 'string' },
        'no-build': { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error })
  }
}

function readIds(text: string, known: readonly string[]): string[] {
  const ids = [...new Set(text.split(',').map((id) => id.trim().toUpperCase()))]
  for (const id of ids) {
    if (!known.includes(id)) throw new UsageError(`--only takes some of ${known.join(', ')}, not "${id}".`)
  }
  return ids
}

function readCount(name: string, text: string | undefined, max: number): number | undefined {
  if (text === undefined) return undefined
  const count = /^\d+$/.test(text) ? Number(text) : 0
  if (count >= 1 && count <= max) return count
  throw new UsageError(`--${name} takes a number from 1 to ${max}, not "${text}".`)
}
