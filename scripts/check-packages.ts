// Packs every public package as it would be published and checks the tarball: publint, attw, the files in it.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { publicPackages, readManifest, root } from './repository.ts'
import { mustRun, npm, runCommand } from './run-command.ts'
import { temporaryFolder } from './temporary-folder.ts'

const folder = temporaryFolder('packages')
const problems: string[] = []

for (const { folder: cwd, manifest } of publicPackages()) {
  if (!existsSync(join(cwd, 'dist/index.js'))) {
    problems.push(`${manifest.name}: dist/index.js is missing; run npm run build first`)
    continue
  }
  const packed = JSON.parse(
    await mustRun(...npm('pack', '--json', '--silent', '--pack-destination', folder), { cwd }),
  ) as unknown
  const { filename, files } = firstOf(packed)
  const tarball = join(folder, filename)

  const paths = files.map(({ path }) => path)
  for (const expected of ['LICENSE', 'package.json', 'src/index.ts', 'dist/index.js', 'dist/index.d.ts']) {
    if (!paths.includes(expected)) problems.push(`${manifest.name}: ${expected} is not in the tarball`)
  }
  for (const path of paths) {
    if (/__tests__|\.test(-d)?\.|\.tsbuildinfo$/.test(path))
      problems.push(`${manifest.name}: ${path} is in the tarball`)
    // What is built from a source that is gone would be published with the rest.
    const source = /^dist\/(.*)\.js$/.exec(path)?.[1]
    if (source !== undefined && !paths.includes(`src/${source}.ts`)) {
      problems.push(`${manifest.name}: ${path} has no source any more; run npm run clean and build again`)
    }
  }

  for (const [tool, bin, args] of [
    ['publint', 'publint', ['run', tarball, '--strict']],
    ['attw', '@arethetypeswrong/cli', [tarball, '--profile', 'esm-only', '--no-color', '--no-emoji']],
  ] as const) {
    const { code, text } = await runCommand(process.execPath, [binOf(bin), ...args], { output: 'pipe' })
    if (code !== 0) problems.push(`${manifest.name}: ${tool} found\n${text.trim()}`)
  }
  console.log(`${manifest.name}: ${paths.length} files packed and checked`)
}

if (problems.length > 0) {
  console.error(`\n${problems.join('\n\n')}\n\n${problems.length} problems in packages`)
  process.exitCode = 1
}

interface Packed {
  readonly filename: string
  readonly files: readonly { readonly path: string }[]
}

function firstOf(packed: unknown): Packed {
  const [first] = (Array.isArray(packed) ? packed : Object.values(packed as object)) as Packed[]
  if (first === undefined) throw new Error('npm pack said nothing about what it packed')
  return first
}

/** The program of a development dependency, to be run by Node without a shell. */
function binOf(name: string): string {
  const packageFolder = join(root, 'node_modules', name)
  const { bin } = readManifest(packageFolder) as unknown as { bin: string | Record<string, string> }
  const program = typeof bin === 'string' ? bin : Object.values(bin)[0]
  if (program === undefined) throw new Error(`${name} has no program`)
  return join(packageFolder, program)
}
