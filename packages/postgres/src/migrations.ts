import { readdirSync, readFileSync } from 'node:fs'
import { SluiceError } from '@sluice/core'
import type { QueryConfig, QueryResult } from './postgres-client.ts'
import { quoteIdentifier, quoteLiteral } from './quote.ts'

/** One file of the folder `migrations`. */
export interface Migration {
  /** From the number in the file's name, 1 for the first. */
  readonly version: number
  readonly name: string
  readonly sql: string
}

/** Whoever can run a query: a client of `pg`, which sends a text without parameters as one or many statements. */
export interface MigrationClient {
  query(config: QueryConfig): Promise<QueryResult>
}

const folder = new URL('../migrations/', import.meta.url)

/** All migrations, in order. Each is idempotent: run again it changes nothing. */
export function loadMigrations(): Migration[] {
  return readdirSync(folder)
    .filter((name) => /^\d{4}-.+\.sql$/.test(name))
    .sort()
    .map((name) => ({ version: Number(name.slice(0, 4)), name, sql: readFileSync(new URL(name, folder), 'utf8') }))
}

/**
 * A script that brings any earlier version to the newest, as one transaction. Whoever runs scripts at the same time waits for
 * the others. Functions may be called by those only to whom the owner grants it. A schema with anything else in it is refused:
 * its functions would lose their grants, and a table of the bus's name might be somebody else's.
 */
export function migrationScript(schema: string, migrations: readonly Migration[] = loadMigrations()): string {
  const s = quoteIdentifier(schema)
  const name = quoteLiteral(schema)
  // Not CREATE SCHEMA IF NOT EXISTS, which asks for the right to create one also where it is there.
  const create = `BEGIN IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = ${name}) THEN CREATE SCHEMA ${s}; ELSE
    IF (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ${name}
      AND c.relname IN ('migrations', 'state', 'inbox') AND c.relkind = 'r') < 3
    AND (EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ${name})
      OR EXISTS (SELECT FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = ${name}))
    THEN RAISE EXCEPTION 'The schema % has other things in it; give the bus one of its own.', quote_ident(${name})
      USING ERRCODE = 'object_not_in_prerequisite_state'; END IF; END IF; END`
  const rows = migrations.map(({ version, name }) => `(${version}, '${name}')`).join(', ')
  return [
    'BEGIN ISOLATION LEVEL READ COMMITTED;\nSET LOCAL standard_conforming_strings = on;\nSET LOCAL client_min_messages = warning;',
    `SELECT pg_advisory_xact_lock(1936487779, hashtext(${name}));`,
    `DO ${quoteLiteral(create)};`,
    `SET LOCAL search_path = ${s}, pg_temp;`,
    ...migrations.map(({ name, sql }) => `-- ${name}\n${sql.trim()}`),
    'CREATE TABLE IF NOT EXISTS migrations (\n  version integer PRIMARY KEY,\n  name text NOT NULL,\n' +
      '  migrated_at timestamptz NOT NULL DEFAULT clock_timestamp()\n);',
    `INSERT INTO migrations (version, name) VALUES ${rows} ON CONFLICT DO NOTHING;`,
    `REVOKE ALL ON ALL FUNCTIONS IN SCHEMA ${s} FROM PUBLIC;`,
    'COMMIT;\n',
  ].join('\n\n')
}

/** The version that a schema has; 0 if there is none. */
export async function installedVersion(client: MigrationClient, schema: string): Promise<number> {
  const table = `${quoteIdentifier(schema)}.migrations`
  const [found] = (await client.query({ text: 'SELECT to_regclass($1) IS NOT NULL AS is_there', values: [table] })).rows
  if (!(found as { is_there: boolean }).is_there) return 0
  const [newest] = (await client.query({ text: `SELECT coalesce(max(version), 0) AS version FROM ${table}` })).rows
  return (newest as { version: number }).version
}

/**
 * Creates or upgrades the schema. Safe to call from many processes at once. Resolves to the version it found: if that is
 * the newest, nothing was done; a newer one than this package knows is left alone.
 *
 * @throws what the database says, for example that the role may not create a schema.
 */
export async function migrate(client: MigrationClient, schema: string): Promise<number> {
  const migrations = loadMigrations()
  const found = await installedVersion(client, schema)
  if (found >= newestVersion(migrations)) return found
  try {
    await client.query({ text: migrationScript(schema, migrations) })
  } catch (error) {
    await client.query({ text: 'ROLLBACK' }).catch(() => {})
    throw error
  }
  return found
}

/**
 * Checks that the schema is there and new enough.
 *
 * @throws SluiceError BAD_CONFIG
 */
export async function expectMigrated(client: MigrationClient, schema: string): Promise<void> {
  const found = await installedVersion(client, schema)
  const needed = newestVersion(loadMigrations())
  if (found >= needed) return
  throw new SluiceError(
    'BAD_CONFIG',
    `[postgresBus] the schema ${quoteIdentifier(schema)} ${found === 0 ? 'is not there' : `has version ${found}, but ${needed} is needed`}; ` +
      'run `npx sluice-postgres migrate`, or `npx sluice-postgres print` and have its owner run what it prints',
  )
}

function newestVersion(migrations: readonly Migration[]): number {
  return migrations.at(-1)?.version ?? 0
}
