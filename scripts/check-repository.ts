import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './repository.ts'
import { mustRun, npm } from './run-command.ts'

const binary = /\.(png|jpe?g|gif|ico|webp|woff2?|ttf|zip|gz|tgz)$/i

/**
 * What must not be written into a file of this repository, because it is true of one machine only: the addresses of
 * package registries (a lock file with them installs from that place alone) and absolute paths of someone's checkout.
 */
export function checkText(name: string, text: string, registryHost: string): string[] {
  const forbidden: [what: string, pattern: RegExp][] = [
    ['the address of a package registry', /registry\.(npmjs\.org|yarnpkg\.com)|(deb|security)\.debian\.org/],
    ['a path of one machine', /(?<![\w.@/-])\/(builds|farm|home|root|Users|work|workspaces?)\/[\w.-]/],
  ]
  if (registryHost !== '') forbidden.push(['the address of a package registry', literal(registryHost)])
  if (homedir().length > 1) forbidden.push(['a path of one machine', literal(`${homedir()}/`)])
  return text.split('\n').flatMap((line, index) => {
    const found = forbidden.find(([, pattern]) => pattern.test(line))
    return found === undefined ? [] : [`${name}:${index + 1}: ${found[0]}: ${line.trim().slice(0, 160)}`]
  })
}

/** `resolved` of a workspace link is a folder; of anything else it is an address, which the lock file must not hold. */
export function checkLockFile(name: string, text: string): string[] {
  const { packages } = JSON.parse(text) as {
    packages: Record<string, { readonly resolved?: string; readonly link?: boolean }>
  }
  return Object.entries(packages)
    .filter(([, { resolved, link }]) => resolved !== undefined && link !== true)
    .map(
      ([path, { resolved }]) =>
        `${name}: ${path} has the address ${resolved}; .npmrc must say omit-lockfile-registry-resolved=true`,
    )
}

function literal(text: string): RegExp {
  return new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const registry = (await mustRun(...npm('config', 'get', 'registry'), { cwd: root })).trim().split('\n').at(-1) ?? ''
  const registryHost = URL.canParse(registry) ? new URL(registry).host : ''
  const listed = await mustRun('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], { cwd: root })
  const problems: string[] = []
  for (const name of new Set(listed.split('\0'))) {
    if (name === '' || binary.test(name)) continue
    let text: string
    try {
      text = readFileSync(join(root, name), 'utf8')
    } catch {
      continue // deleted, but not yet committed
    }
    if (name === 'package-lock.json') problems.push(...checkLockFile(name, text))
    problems.push(...checkText(name, text, registryHost))
  }
  for (const problem of problems) console.error(problem)
  if (problems.length > 0) process.exitCode = 1
}
