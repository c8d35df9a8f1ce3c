// `npm run bench:postgres`: what an event costs its publisher, its subscriber and whoever else writes, on a PostgreSQL of its own or that of DATABASE_URL.
import { listenNotify, sluice } from './carriers.ts'
import { measureDelivery } from './delivery.ts'
import { graphqlPostgresSubscriptions } from './installed-peer.ts'
import { type Database, startOwnPostgres } from './own-postgres.ts'
import { type Extra, measureWriters } from './writers.ts'

const extras: readonly Extra[] = ['nothing', 'publishIn', 'watch_table', 'pg_notify']

const url = process.env['DATABASE_URL']
const database: Database =
  url === undefined ? await startOwnPostgres() : { connectionString: url, stop: async () => {} }
try {
  const { connectionString } = database
  console.log('publish -> delivered, 230 bytes of data; one after another, then 500 at a time')
  for (const carrier of [sluice, listenNotify, graphqlPostgresSubscriptions]) {
    const result = await measureDelivery(await carrier(connectionString), 1_000, 20_000)
    console.log(
      `  ${result.name.padEnd(36)} p50 ${result.p50Ms.toFixed(2)} ms, p99 ${result.p99Ms.toFixed(2)} ms; ` +
        `${Math.round(result.perSecond)} events/s; ${result.lostCount} lost`,
    )
  }
  console.log('what writers pay: transactions/s of clients that update a row, and')
  for (const clientCount of [8, 32]) {
    for (const extra of extras) {
      const perSecond = await measureWriters(connectionString, clientCount, extra)
      console.log(`  ${String(clientCount).padStart(2)} clients, ${extra.padEnd(12)} ${Math.round(perSecond)}/s`)
    }
  }
} finally {
  await database.stop()
}
