import { postgresBus, type PostgresBus } from '@sluice/postgres'
import { Client } from 'pg'

/** What a writer's transaction does besides its UPDATE. */
export type Extra = 'nothing' | 'publishIn' | 'watch_table' | 'pg_notify'

const seconds = 3

/** Transactions a second of so many clients, each of which updates rows of its own. */
export async function measureWriters(connectionString: string, clientCount: number, extra: Extra): Promise<number> {
  const bus = postgresBus({ connectionString })
  await bus.ready()
  const admin = await connect(connectionString)
  await admin.query('DROP TABLE IF EXISTS accounts')
  await admin.query('CREATE TABLE accounts (id int PRIMARY KEY, tenant text NOT NULL, balance int NOT NULL)')
  await admin.query(`INSERT INTO accounts SELECT n, 'acme', 0 FROM generate_series(1, 3200) n`)
  if (extra === 'watch_table') await admin.query(`SELECT sluice.watch_table('accounts', 'tenant')`)
  // Somebody listens, as in production.
  await bus.subscribe({ tenantId: 'acme', name: 'accounts' }, { from: 'live' }, () => {})
  const listener = await connect(connectionString)
  await listener.query('LISTEN accounts')
  const clients = await Promise.all(Array.from({ length: clientCount }, () => connect(connectionString)))
  const until = performance.now() + seconds * 1_000
  const counts = await Promise.all(clients.map((client, index) => write(client, index, bus, extra, until)))
  for (const client of [admin, listener, ...clients]) await client.end()
  await bus.close()
  return counts.reduce((sum, count) => sum + count, 0) / seconds
}

async function write(client: Client, index: number, bus: PostgresBus, extra: Extra, until: number): Promise<number> {
  let count = 0
  while (performance.now() < until) {
    const id = index * 100 + (count % 100) + 1
    await client.query('BEGIN')
    await client.query('UPDATE accounts SET balance = balance + 1 WHERE id = $1', [id])
    const data = { id, balance: count }
    if (extra === 'publishIn') {
      await bus.publishIn(client, { tenantId: 'acme', channel: 'accounts', type: 'updated', data })
    }
    if (extra === 'pg_notify') await client.query('SELECT pg_notify($1, $2)', ['accounts', JSON.stringify(data)])
    await client.query('COMMIT')
    count += 1
  }
  return count
}

async function connect(connectionString: string): Promise<Client> {
  const client = new Client({ connectionString })
  client.on('error', () => {})
  await client.connect()
  return client
}
