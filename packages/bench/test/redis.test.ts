import { describe, expect, it } from 'vitest'
import { measureOnRedis, type RedisPlan } from '../src/redis/measure.ts'
import type { RedisServerName } from '../src/servers/redis-servers.ts'

const plan: RedisPlan = {
  subscriberCount: 4,
  calmMs: 20,
  killingMs: 300,
  eventsPerSecond: 40,
  killIntervalMs: 100,
  launch: 'source',
}

describe('two instances on one Redis', { timeout: 120_000 }, () => {
  it.each<[RedisServerName]>([['sluice-redis'], ['graphql-ws-redis'], ['yoga-redis']])(
    'are measured, calm and with their connections killed: %s',
    async (server) => {
      const { calm, killing } = await measureOnRedis(server, plan)
      expect(calm.eventCount).toBeGreaterThan(0)
      for (const figure of [calm.cpuMicrosPerDelivery, calm.eventsPerSecond, calm.latencyMs.p50, calm.latencyMs.p99]) {
        expect(figure).toBeGreaterThan(0)
      }
      expect(killing.killCount).toBeGreaterThan(0)
      expect(killing.acceptedCount).toBeGreaterThan(0)
      expect(killing.deliveryCount + killing.lostCount).toBe(killing.acceptedCount * plan.subscriberCount)
      if (server !== 'sluice-redis') return
      expect(killing).toMatchObject({ lostCount: 0, repeatedCount: 0, disorderedCount: 0, refusedCount: 0 })
    },
  )
})
