import { accessSync, constants, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { runCommand } from './run-command.ts'

/** Where programs with these names would be, by PATH; not all of them are there. */
export function onPath(names: readonly string[]): string[] {
  const suffix = process.platform === 'win32' ? '.exe' : ''
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .flatMap((folder) => names.map((name) => join(folder, name + suffix)))
}

/** Whether there is something at the path that can be run. */
export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/**
 * Installs a package where that can be done without asking, as root on Debian and its relatives. Elsewhere, and when it
 * fails, it throws an error with the advice.
 */
export async function installOnDebian(packageName: string, purpose: string, advice: string): Promise<void> {
  if (!isRootOnDebian()) throw new Error(advice)
  console.log(`[test] installing ${packageName} ${purpose} (apt-get; this takes a minute or two) …`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', packageName]]) {
    const { code, text } = await runCommand('apt-get', args, { env, output: 'pipe' })
    if (code !== 0)
      throw new Error(`${text}\n[test] apt-get ${args.join(' ')} ended with exit code ${code}.\n${advice}`)
  }
}

function isRootOnDebian(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false
  try {
    return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(readFileSync('/etc/os-release', 'utf8'))
  } catch {
    return false
  }
}
