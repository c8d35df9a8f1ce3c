import { randomUUID } from 'node:crypto'
import { busContract, type RedisServer, startRedisServer, until } from '@sluice/testkit'
import { Redis } from 'ioredis'
import { afterAll, beforeAll } from 'vitest'
import { type RedisBus, redisBus } from '../redis-bus.ts'
import { isUp, quick } from './service.ts'

let server: RedisServer
let client: Redis

beforeAll(async () => {
  server = await startRedisServer()
  client = new Redis(server.url)
})

afterAll(async () => {
  client.disconnect()
  await server.stop()
})

busContract('redisBus', {
  capabilities: {
    durable: true,
    history: true,
    crossProcess: true,
    transactionalPublish: false,
    maxPayloadBytes: 1_048_576,
    dedupWindowMs: 120_000,
  },
  async create({ historyCount = 10_000 }) {
    const keyPrefix = randomUUID()
    const buses: RedisBus[] = []
    const another = async (): Promise<RedisBus> => {
      const bus = redisBus({
        ...quick,
        heartbeatMs: 5_000,
        url: server.url,
        keyPrefix,
        history: { maxCount: historyCount },
      })
      buses.push(bus)
      await isUp(bus)
      return bus
    }
    const atBroker = () => client.pubsub('CHANNELS', `${keyPrefix}:*`)
    return {
      bus: await another(),
      another,
      async leftovers() {
        await until(async () => (await atBroker()).length === 0, 'no channel lingers')
        return {
          channelsAtBroker: (await atBroker()).length,
          channels: sum(buses.map((bus) => bus.stats().channelCount)),
          subscriptions: sum(buses.map((bus) => bus.stats().subscriptionCount)),
          pendingPublishes: sum(buses.map((bus) => bus.stats().pendingPublishCount)),
        }
      },
      async close() {
        await Promise.all(buses.map((bus) => bus.close()))
      },
    }
  },
})

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
