import type { Pool } from 'pg'
import { type Database, startOwnPostgres } from './own-postgres.ts'

/** The database that was named, or one that is started for the example and deleted after it. */
export async function openDatabase(connectionString: string | undefined): Promise<Database> {
  if (connectionString === undefined) return await startOwnPostgres()
  return { connectionString, stop: async () => {} }
}

/**
 * Makes the table, with an order for each company, and has its changes published: to the channel `orders` of the company in
 * the column `company`, and to nobody else. The bus must have made its schema before.
 *
 * @throws Error if there is a table of that name: it may be somebody's
 */
export async function createOrders(pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ isThere: boolean }>(`SELECT to_regclass('orders') IS NOT NULL AS "isThere"`)
  if (rows[0]?.isThere !== false) throw new Error('There is a table "orders" in this database. Give one that is empty.')
  await pool.query(`
    CREATE TABLE orders (
      id integer PRIMARY KEY,
      company text NOT NULL,
      status text NOT NULL,
      internal_cost integer NOT NULL DEFAULT 0
    );
    INSERT INTO orders VALUES (1, 'acme', 'NEW', 12), (2, 'globex', 'NEW', 34);
    SELECT sluice.watch_table('orders', 'company', columns => ARRAY['id', 'status']);
  `)
}
