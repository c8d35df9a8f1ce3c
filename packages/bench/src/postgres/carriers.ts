import { postgresBus } from '@sluice/postgres'
import { Client, Pool } from 'pg'
import type { Carrier } from './delivery.ts'

const text = 'x'.repeat(200)

/** The bus: one instance publishes, another one is subscribed. */
export async function sluice(connectionString: string): Promise<Carrier> {
  const publisher = postgresBus({ connectionString })
  const subscriber = postgresBus({ connectionString })
  await Promise.all([publisher.ready(), subscriber.ready()])
  const channel = { tenantId: 'acme', name: 'orders' }
  return {
    name: '@sluice/postgres',
    async subscribe(onEvent) {
      await subscriber.subscribe(channel, { from: 'live' }, (told) => {
        if (told.kind === 'event') onEvent(Number(told.event.eventId))
      })
    },
    publish: (id) =>
      publisher.publish({
        channel,
        type: 'updated',
        data: Buffer.from(JSON.stringify({ id, text })),
        eventId: String(id),
        publishedAt: Date.now(),
      }),
    async close() {
      await Promise.all([publisher.close(), subscriber.close()])
    },
  }
}

/** What most servers do by hand: pg_notify with the event in its payload, and LISTEN. */
export async function listenNotify(connectionString: string): Promise<Carrier> {
  const pool = new Pool({ connectionString, max: 4 })
  const client = new Client({ connectionString })
  await client.connect()
  return {
    name: 'LISTEN/NOTIFY',
    async subscribe(onEvent) {
      client.on('notification', ({ payload = '{}' }) => onEvent((JSON.parse(payload) as { id: number }).id))
      await client.query('LISTEN orders')
    },
    publish: (id) => pool.query('SELECT pg_notify($1, $2)', ['orders', JSON.stringify({ id, text })]),
    async close() {
      await client.end()
      await pool.end()
    },
  }
}
