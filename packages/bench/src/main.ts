import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { build } from './build.ts'
import { type BenchOptions, help, readOptions, UsageError } from './cli/read-options.ts'
import { progressOn } from './report/progress.ts'
import type { Results } from './report/results.ts'
import { formatTable } from './report/table.ts'
import { run } from './run.ts'
import { bar } from './scenarios/bar.ts'
import { ladder } from './scenarios/ladder.ts'

async function main(): Promise<number> {
  let options: BenchOptions
  try {
    options = readOptions(
      process.argv.slice(2),
      bar.map(({ id }) => id),
    )
    // Not in the end, when everything has been measured.
    const folder = dirname(resolve(options.jsonFile))
    if (!existsSync(folder)) throw new UsageError(`--json takes a file in a folder that exists, not in ${folder}.`)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    console.error(`${error.message}\n\n${help}`)
    return 2
  }
  if (options.isHelp) {
    console.log(help)
    return 0
  }
  try {
    return await measure(options)
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    return 1
  }
}

async function measure({ only, isLadder, plan, jsonFile, profileFolder, isBuilding }: BenchOptions): Promise<number> {
  const progress = progressOn(process.stderr)
  const folder = profileFolder === null ? null : resolve(profileFolder)
  if (folder !== null) mkdirSync(folder, { recursive: true })
  try {
    if (isBuilding) {
      progress('build: compiling what is newer than dist')
      build()
    }
    const scenarios = isLadder ? [ladder] : bar.filter(({ id }) => only.length === 0 || only.includes(id))
    const results = await run({ scenarios, plan, launch: 'built', progress, profileFolder: folder })
    progress.clear()
    console.log(headOf(results))
    console.log(formatTable(results.rows))
    writeFileSync(jsonFile, `${JSON.stringify(results, null, 2)}\n`)
    console.log(`\n${resolve(jsonFile)} has every round.`)
    for (const { scenario, message } of results.failures) console.error(`\n${scenario} broke. ${message}`)
    return results.failures.length === 0 ? 0 : 1
  } finally {
    progress.clear()
  }
}

function headOf({ environment: { cpu, coreCount, memoryBytes, node }, plan }: Results): string {
  const memory = `${Math.round(memoryBytes / 1024 ** 3)} GiB`
  const size = `${plan.socketCount} sockets, medians of ${plan.roundCount} rounds after ${plan.warmUpCount} of warm-up`
  return `\n${cpu}, ${coreCount} cores, ${memory}, Node ${node}; ${size}\n`
}

process.exitCode = await main()
