// A process that publishes in a transaction, ends it as it is told, and is gone before anything else can happen.
import pg from 'pg'
import { postgresBus } from '../../index.ts'

const [, , connectionString = '', schema = '', tenantId = '', end = ''] = process.argv

const bus = postgresBus({ connectionString, schema, pollMs: 60_000 })
await bus.ready()
const client = new pg.Client({ connectionString })
await client.connect()
await client.query('BEGIN')
await bus.publishIn(client, { tenantId, channel: 'orders', type: 'x', data: 1, eventId: end })
if (end === 'commit') await client.query('COMMIT')
if (end === 'rollback') await client.query('ROLLBACK')
process.kill(process.pid, 'SIGKILL')
