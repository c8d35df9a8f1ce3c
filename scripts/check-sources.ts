import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseSync } from 'vite'
import { root } from './repository.ts'

/**
 * The house rules that no built-in rule of the linter can say; everything else is in .oxlintrc.json.
 *
 * - no `export * from`: an index is a curated list of named exports
 * - no file called utils.ts: one idea a file, named after its export
 * - the stages of core (its folders) have no cycle among them, type imports included
 *
 * Resolves to one line for each place that breaks one.
 */
export function checkSources(folder: string): string[] {
  const files = ['packages', 'examples', 'scripts', 'test'].flatMap((name) => sourcesIn(join(folder, name)))
  const problems: string[] = []
  const coreImports = new Map<string, Set<string>>()
  const core = join(folder, 'packages/core/src')

  for (const file of files) {
    const name = relative(folder, file).split(sep).join('/')
    if (/^utils?\./.test(basename(file))) problems.push(`${name}: no utils.ts: name the file after what it exports`)
    const source = readFileSync(file, 'utf8')
    const { module } = parseSync(file, source)
    for (const { start, entries } of module.staticExports) {
      const isStar = entries.some(({ importName, exportName }) => {
        return importName.kind === 'AllButDefault' || (importName.kind === 'All' && exportName.kind === 'None')
      })
      if (isStar) problems.push(`${name}:${lineOf(source, start)}: no export *: list the names`)
    }
    if (!file.startsWith(core + sep) || name.includes('/__tests__/')) continue
    const stage = stageOf(core, file)
    const imported = [
      ...module.staticImports.map(({ moduleRequest }) => moduleRequest.value),
      ...module.staticExports.flatMap(({ entries }) => entries.map(({ moduleRequest }) => moduleRequest?.value ?? '')),
    ]
    for (const specifier of imported.filter((value) => value.startsWith('.'))) {
      const target = stageOf(core, resolve(dirname(file), specifier))
      if (target === stage) continue
      if (!coreImports.has(stage)) coreImports.set(stage, new Set())
      coreImports.get(stage)?.add(target)
    }
  }

  for (const cycle of cyclesIn(coreImports)) {
    problems.push(`packages/core/src: the stages import each other: ${[...cycle, cycle[0]].join(' -> ')}`)
  }
  return problems
}

/** A stage is a folder of core/src; a file beside the folders (errors.ts) stands for itself. */
function stageOf(core: string, file: string): string {
  return relative(core, file).split(sep)[0] ?? ''
}

/** One shortest cycle through each stage that is on one; each cycle is given once. */
function cyclesIn(imports: ReadonlyMap<string, ReadonlySet<string>>): string[][] {
  const cycles = new Map<string, string[]>()
  for (const start of imports.keys()) {
    const queue: string[][] = [[start]]
    const seen = new Set<string>()
    for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
      const targets = imports.get(path.at(-1) ?? '') ?? new Set<string>()
      if (targets.has(start)) {
        cycles.set([...path].sort().join(), path)
        break
      }
      for (const target of targets) {
        if (!seen.has(target)) queue.push([...path, target])
        seen.add(target)
      }
    }
  }
  return [...cycles.values()]
}

function sourcesIn(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return ['node_modules', 'dist', 'coverage'].includes(entry.name) ? [] : sourcesIn(path)
    return /\.[cm]?[jt]sx?$/.test(entry.name) ? [path] : []
  })
}

function lineOf(source: string, offset: number): number {
  return source.slice(0, offset).split('\n').length
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const problems = checkSources(root)
  for (const problem of problems) console.error(problem)
  if (problems.length > 0) process.exitCode = 1
}
