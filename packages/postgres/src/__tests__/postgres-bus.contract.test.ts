import { busContract } from '@sluice/testkit'
import { Client } from 'pg'
import { afterAll, beforeAll, describe } from 'vitest'
import type { ChannelKey } from '@sluice/core'
import { openBackend } from './support/bus-backend.ts'
import { embeddedBinaries, installedBinaries, type PostgresBinaries } from './support/postgres-binaries.ts'
import { type PostgresServer, startPostgres } from './support/postgres-server.ts'

const url = process.env['SLUICE_TEST_POSTGRES_URL']
const installed = installedBinaries()

if (url !== undefined) contract('postgresBus on the server of SLUICE_TEST_POSTGRES_URL', () => url)
else {
  onServer('postgresBus on Postgres 18', await embeddedBinaries())
  if (installed !== undefined) onServer('postgresBus on Postgres 15', installed)
}

function onServer(name: string, binaries: PostgresBinaries): void {
  describe(`${name}:`, () => {
    let server: PostgresServer
    beforeAll(async () => {
      server = await startPostgres({ binaries })
    })
    afterAll(() => server.stop())
    contract(name, () => server.url())
  })
}

function contract(name: string, urlOf: () => string): void {
  busContract(name, {
    capabilities: {
      durable: true,
      history: true,
      crossProcess: true,
      transactionalPublish: true,
      maxPayloadBytes: 1_048_576,
      dedupWindowMs: 120_000,
    },
    async create({ historyCount = 10_000 }) {
      const backend = await openBackend(urlOf(), { history: { maxCount: historyCount } })
      return {
        bus: backend.bus,
        another: () => backend.another(),
        async publishInTransaction(event, end) {
          const client = new Client({ connectionString: urlOf() })
          await client.connect()
          await client.query('BEGIN')
          await backend.bus.publishIn(client, {
            ...event,
            tenantId: event.channel.tenantId,
            channel: event.channel.name,
            data: { a: 1 },
          })
          await client.query(end === 'commit' ? 'COMMIT' : 'ROLLBACK')
          await client.end()
        },
        async trim(_channel: ChannelKey) {
          await backend.query(`SELECT ${backend.s}.retain($1)`, [historyCount])
        },
        async leftovers() {
          const { listenerCount, channelCount, waitingSubscriptionCount } = backend.bus.stats()
          return { listenerCount, channelCount, waitingSubscriptionCount }
        },
        close: () => backend.close(),
      }
    },
  })
}
