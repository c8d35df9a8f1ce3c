import { existsSync, readFileSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What the figures were measured on and with. */
export interface Environment {
  readonly cpu: string
  readonly coreCount: number
  readonly memoryBytes: number
  readonly platform: string
  readonly node: string
  /** Versions of packages, by name. */
  readonly packages: Readonly<Record<string, string>>
}

interface Manifest {
  readonly version?: string
  readonly dependencies?: Readonly<Record<string, string>>
}

export function environment(): Environment {
  const folder = fileURLToPath(new URL('../..', import.meta.url))
  const { dependencies = {} } = readManifest(folder)
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    coreCount: availableParallelism(),
    memoryBytes: totalmem(),
    platform: `${process.platform} ${release()} ${process.arch}`,
    node: process.version,
    packages: Object.fromEntries(Object.keys(dependencies).map((name) => [name, versionOf(name, folder)])),
  }
}

/** As it is installed, where Node would look for it. */
function versionOf(name: string, from: string): string {
  const folder = join(from, 'node_modules', name)
  if (existsSync(join(folder, 'package.json'))) return readManifest(folder).version ?? 'unknown'
  return dirname(from) === from ? 'not installed' : versionOf(name, dirname(from))
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
}
