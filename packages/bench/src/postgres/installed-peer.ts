import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import type { Carrier } from './delivery.ts'

interface PostgresPubSub {
  publish(trigger: string, payload: object): boolean
  subscribe(trigger: string, onMessage: (payload: { id: number }) => void): Promise<number>
}

const dependencies = { 'graphql-postgres-subscriptions': '1.0.5', graphql: '14.7.0' }

/**
 * graphql-postgres-subscriptions, in a folder of its own: it needs graphql 14. The pg 7 that it brings cannot connect from Node 14
 * on, so it is given clients of pg 8. Its `publish` returns before anything was sent.
 */
export async function graphqlPostgresSubscriptions(connectionString: string): Promise<Carrier> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-peer-'))
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }))
  const { status } = spawnSync('npm', ['install', '--legacy-peer-deps', '--silent', '--ignore-scripts'], {
    cwd: folder,
    shell: process.platform === 'win32',
  })
  if (status !== 0) throw new Error('graphql-postgres-subscriptions could not be installed')
  const { PostgresPubSub: PubSub } = createRequire(join(folder, 'package.json'))('graphql-postgres-subscriptions') as {
    PostgresPubSub: new (options: { client: Client }) => PostgresPubSub
  }
  const clients = [new Client({ connectionString }), new Client({ connectionString })] as const
  for (const client of clients) await client.connect()
  const [publisher, subscriber] = clients.map((client) => new PubSub({ client })) as [PostgresPubSub, PostgresPubSub]
  const text = 'x'.repeat(200)
  return {
    name: 'graphql-postgres-subscriptions 1.0.5',
    async subscribe(onEvent) {
      await subscriber.subscribe('orders', ({ id }) => onEvent(id))
      // Its LISTEN is sent and not awaited; what this connection is asked next comes after it.
      await clients[1].query('SELECT 1')
    },
    publish: async (id) => publisher.publish('orders', { id, text }),
    async close() {
      for (const client of clients) await client.end()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
