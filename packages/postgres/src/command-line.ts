import { parseArgs } from 'node:util'
import { SluiceError } from '@sluice/core'
import { Client } from 'pg'
import { describeCause } from './bus-errors.ts'
import { checkConnectionString } from './connection-string.ts'
import { loadMigrations, migrate, migrationScript } from './migrations.ts'
import { checkSchemaName } from './options.ts'
import { quoteIdentifier } from './quote.ts'
import { describeStatus } from './schema-status.ts'

/** Where a command writes to. */
export interface CommandOutput {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
}

const help = `sluice-postgres: the schema of a Sluice bus on PostgreSQL

Usage: sluice-postgres <command> [options]

Commands:
  migrate   creates or upgrades the schema; does nothing if it is up to date
  print     prints the SQL that migrate runs, for psql and for roles that may not create tables
  status    tells the schema's version, what waits in it and which tables are watched
  drop      deletes the schema with all events and everything else in it; needs --yes

Options:
  --connection-string <url>   postgres://user:password@host:port/database
                              default: DATABASE_URL, else the PG* variables of libpq
  --schema <name>             default: sluice
  --yes                       for drop: yes, delete it
  --help                      this text

It exits with 0 if it did what was asked, 1 if it could not, 2 if it was asked wrongly.
`

/** Runs one command; resolves to the exit code. The connection string is never printed. */
export async function runCommandLine(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  { out, err }: CommandOutput,
): Promise<number> {
  let parsed
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        'connection-string': { type: 'string' },
        schema: { type: 'string', default: 'sluice' },
        yes: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
  } catch (error) {
    // The message of parseArgs names the option and not its value.
    err(`${describeCause(error)}\n\n${help}`)
    return 2
  }
  const { values, positionals } = parsed
  if (values.help) {
    out(help)
    return 0
  }
  const [command = '', ...rest] = positionals
  if (!['migrate', 'print', 'status', 'drop'].includes(command) || rest.length > 0) {
    err(`${command === '' ? 'A command is missing.' : `There is no such command: ${positionals.join(' ')}`}\n\n${help}`)
    return 2
  }
  const { schema } = values
  const connectionString = values['connection-string'] ?? env['DATABASE_URL']
  try {
    checkSchemaName(schema)
    if (command === 'print') {
      out(migrationScript(schema))
      return 0
    }
    if (connectionString !== undefined) checkConnectionString('sluice-postgres', connectionString)
    if (command === 'drop' && !values.yes) {
      err(`drop deletes the schema ${quoteIdentifier(schema)} and every event in it. If you want that, add --yes.\n`)
      return 2
    }
    const client = new Client({
      ...(connectionString === undefined ? undefined : { connectionString }),
      fallback_application_name: 'sluice-postgres',
      connectionTimeoutMillis: 10_000,
    })
    client.on('error', () => {})
    try {
      await client.connect()
      out(await run(command, client, schema))
    } finally {
      await client.end().catch(() => {})
    }
    return 0
  } catch (error) {
    err(`${error instanceof SluiceError ? error.message : `sluice-postgres ${command}: ${describeCause(error)}`}\n`)
    return 1
  }
}

async function run(command: string, client: Client, schema: string): Promise<string> {
  const name = quoteIdentifier(schema)
  if (command === 'migrate') {
    const found = await migrate({ query: (config) => client.query(config) }, schema)
    const newest = loadMigrations().at(-1)?.version ?? 0
    return found >= newest
      ? `${name} has version ${found}: nothing to do\n`
      : `${name} was brought from version ${found} to ${newest}\n`
  }
  if (command === 'drop') {
    await expectBus(client, schema)
    await client.query(`DROP SCHEMA ${name} CASCADE`)
    return `${name} is gone\n`
  }
  return describeStatus(client, schema)
}

/** Refuses to delete what is no bus: a schema of that name may hold anything. */
async function expectBus(client: Client, schema: string): Promise<void> {
  const tables = ['state', 'inbox', 'log', 'migrations']
  const { rows } = await client.query<{ count: number }>(
    'SELECT count(*)::integer AS count FROM pg_tables WHERE schemaname = $1 AND tablename = ANY ($2)',
    [schema, tables],
  )
  if (rows[0]?.count === tables.length) return
  throw new SluiceError(
    'BAD_CONFIG',
    `[sluice-postgres] ${quoteIdentifier(schema)} is not the schema of a Sluice bus: nothing was deleted`,
  )
}
