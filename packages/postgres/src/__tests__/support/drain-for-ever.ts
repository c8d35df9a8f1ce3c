// A process that drains and nothing else, on one connection after another, until it is killed.
import pg from 'pg'

const [url = '', schema = ''] = process.argv.slice(2)

for (;;) {
  const client = new pg.Client({ connectionString: url, application_name: 'drain-for-ever' })
  client.on('error', () => {})
  try {
    await client.connect()
    process.send?.('draining')
    // The lock is held for a while after the work, so that there is a middle in which to be killed.
    for (;;) {
      await client.query('BEGIN')
      await client.query(`SELECT ${schema}.drain(50, 0, true)`)
      await client.query('SELECT pg_sleep(0.005)')
      await client.query('COMMIT')
    }
  } catch {
    await client.end().catch(() => {})
  }
}
