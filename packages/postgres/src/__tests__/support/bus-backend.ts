import { randomUUID } from 'node:crypto'
import { Client } from 'pg'
import { type PostgresBus, postgresBus, type PostgresBusOptions } from '../../index.ts'
import { quoteIdentifier } from '../../quote.ts'

/** A schema of a test's own, and buses on it. */
export interface BusBackend {
  readonly schema: string
  /** The schema's name, quoted. */
  readonly s: string
  readonly bus: PostgresBus
  /** Another instance, as another process would have it. It is ready. */
  another(options?: Partial<PostgresBusOptions>): Promise<PostgresBus>
  /** Runs one statement on a connection that is kept for it. */
  query<T extends object>(text: string, values?: unknown[]): Promise<T[]>
  /** Closes all instances and drops the schema. */
  close(): Promise<void>
}

/** @param url of the database */
export async function openBackend(url: string, options: Partial<PostgresBusOptions> = {}): Promise<BusBackend> {
  const schema = options.schema ?? `sluice_${randomUUID().slice(0, 8)}`
  const buses: PostgresBus[] = []
  const client = new Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()

  async function another(overrides: Partial<PostgresBusOptions> = {}): Promise<PostgresBus> {
    const bus = postgresBus({ connectionString: url, pollMs: 20, ...options, ...overrides, schema })
    buses.push(bus)
    await bus.ready()
    return bus
  }

  return {
    schema,
    s: quoteIdentifier(schema),
    bus: await another(),
    another,
    query: async (text, values = []) => (await client.query(text, values)).rows,
    async close() {
      await Promise.all(buses.map((bus) => bus.close()))
      await client.query(`DROP SCHEMA IF EXISTS ${quoteIdentifier(schema)} CASCADE`).catch(() => {})
      await client.end().catch(() => {})
    },
  }
}
