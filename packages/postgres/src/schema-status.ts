import type { Client } from 'pg'
import { installedVersion, loadMigrations } from './migrations.ts'
import { quoteIdentifier } from './quote.ts'

interface StatusRow {
  readonly epoch: string
  readonly waiting: string
  readonly oldest_ms: number | null
  readonly events: string
  readonly channels: string
  readonly bytes: string
  readonly watched: string[]
}

/** What `sluice-postgres status` prints. */
export async function describeStatus(client: Client, schema: string): Promise<string> {
  const s = quoteIdentifier(schema)
  const version = await installedVersion({ query: (config) => client.query(config) }, schema)
  const newest = loadMigrations().at(-1)?.version ?? 0
  if (version === 0) return `${s} is not there: run sluice-postgres migrate\n`
  const { rows } = await client.query<StatusRow>(
    `SELECT
      (SELECT epoch FROM ${s}.state) AS epoch,
      (SELECT count(*) FROM ${s}.inbox) AS waiting,
      (SELECT (extract(epoch FROM clock_timestamp() - min(created_at)) * 1000)::float8 FROM ${s}.inbox) AS oldest_ms,
      (SELECT count(*) FROM ${s}.log) AS events,
      (SELECT count(*) FROM ${s}.channels) AS channels,
      (SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c
        WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1) AND c.relkind = 'r') AS bytes,
      ARRAY(SELECT DISTINCT t.tgrelid::regclass::text FROM pg_trigger t
        WHERE t.tgfoid = to_regprocedure($2) ORDER BY 1) AS watched`,
    [schema, `${s}.publish_changes()`],
  )
  const [row] = rows
  if (row === undefined) return `${s} is empty\n`
  const age = row.oldest_ms === null ? '' : `, the oldest for ${Math.round(row.oldest_ms)} ms`
  return [
    `schema    ${s}, version ${version}${version < newest ? ` (this package has ${newest}: run sluice-postgres migrate)` : ''}`,
    `epoch     ${row.epoch}`,
    `waiting   ${row.waiting} events in the inbox${age}`,
    `history   ${row.events} events of ${row.channels} channels`,
    `size      ${row.bytes} bytes`,
    `watched   ${row.watched.length === 0 ? 'no table' : row.watched.join(', ')}`,
    '',
  ].join('\n')
}
