import type { Pool } from 'pg'
import { type Database, startOwnPostgres } from './own-postgres.ts'

/** The server of DATABASE_URL, or one that is started for the example and deleted after it. */
export async function openDatabase(env: NodeJS.ProcessEnv): Promise<Database> {
  const connectionString = env['DATABASE_URL']
  if (connectionString === undefined) return await startOwnPostgres()
  return { connectionString, stop: async () => {} }
}

/**
 * Makes the table anew, with an order for each company, and has its changes published: to the channel `orders` of the company in
 * the column `company`, and to nobody else. The bus must have made its schema before.
 */
export async function createOrders(pool: Pool): Promise<void> {
  await pool.query(`
    DROP TABLE IF EXISTS orders;
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
