import { describe, expect, it } from 'vitest'
import { Redis } from 'ioredis'
import type { RedisClient } from '../connection/redis-client.ts'
import { type RedisBusOptions, resolveRedisBusOptions } from '../redis-bus-options.ts'

const url = 'redis://localhost'

describe('the options', () => {
  it('have defaults', () => {
    expect(resolveRedisBusOptions({ url })).toEqual({
      consumerGroup: 'sluice',
      keyPrefix: 'sluice',
      history: { maxCount: 1_000, maxAgeMs: 300_000 },
      maxPayloadBytes: 1_048_576,
      dedupWindowMs: 120_000,
      maxPendingPublishes: 10_000,
      maxPendingBytes: 67_108_864,
      publishTimeoutMs: 5_000,
      heartbeatMs: 5_000,
      checkIntervalMs: 15_000,
      lingerMs: 5_000,
      recordTtlMs: 3_600_000,
      target: { address: { host: 'localhost', port: 6379, db: 0 } },
    })
  })

  it('keep the record of a channel longer than what refers to it', () => {
    const day = 86_400_000
    expect(resolveRedisBusOptions({ url, history: { maxAgeMs: day } }).recordTtlMs).toBe(2 * day)
    expect(resolveRedisBusOptions({ url, dedupWindowMs: day }).recordTtlMs).toBe(2 * day)
    expect(resolveRedisBusOptions({ url, history: { maxAgeMs: Number.POSITIVE_INFINITY } }).recordTtlMs).toBe(0)
  })

  it.each<[string, unknown]>([
    ['url', { url: 5 }],
    ['client', { client: {} }],
    ['client', { client: 'redis://localhost' }],
    ['consumerGroup', { url, consumerGroup: '' }],
    ['consumerGroup', { url, consumerGroup: 'a b' }],
    ['keyPrefix', { url, keyPrefix: '{a}' }],
    ['keyPrefix', { url, keyPrefix: 'a*' }],
    ['keyPrefix', { url, keyPrefix: 'a@1' }],
    ['history.maxCount', { url, history: { maxCount: 0 } }],
    ['history.maxAgeMs', { url, history: { maxAgeMs: 0 } }],
    ['history.maxage', { url, history: { maxage: 1 } }],
    ['maxPayloadBytes', { url, maxPayloadBytes: 1.5 }],
    ['dedupWindowMs', { url, dedupWindowMs: -1 }],
    ['maxPendingPublishes', { url, maxPendingPublishes: 0 }],
    ['maxPendingBytes', { url, maxPendingBytes: Number.NaN }],
    ['publishTimeoutMs', { url, publishTimeoutMs: Number.POSITIVE_INFINITY }],
    ['heartbeatMs', { url, heartbeatMs: 0 }],
    ['checkIntervalMs', { url, checkIntervalMs: 3_600_000 }],
    ['lingerMs', { url, lingerMs: '1s' }],
    ['password', { url, password: 'hunter2' }],
  ])('with a bad %s are BAD_CONFIG, which names it', (name, options) => {
    expect(() => resolveRedisBusOptions(options as RedisBusOptions)).toThrow(
      expect.objectContaining({ code: 'BAD_CONFIG', message: expect.stringContaining(`"${name}"`) }),
    )
  })

  it('remember ids for as long as an event may be sent again, or not at all', () => {
    expect(() => resolveRedisBusOptions({ url, dedupWindowMs: 4_999 })).toThrow(
      expect.objectContaining({ code: 'BAD_CONFIG', message: expect.stringContaining('"dedupWindowMs"') }),
    )
    expect(() => resolveRedisBusOptions({ url, publishTimeoutMs: 120_001 })).toThrow(/"dedupWindowMs"/)
    expect(resolveRedisBusOptions({ url, dedupWindowMs: 5_000 }).dedupWindowMs).toBe(5_000)
    expect(resolveRedisBusOptions({ url, dedupWindowMs: 0 }).dedupWindowMs).toBe(0)
  })

  it('need exactly one of url and client', () => {
    const client: RedisClient = new Redis({ lazyConnect: true })
    for (const options of [{}, { url, client }]) {
      expect(() => resolveRedisBusOptions(options)).toThrow(/either the option "url" or the option "client"/)
    }
    expect(resolveRedisBusOptions({ client }).target).toEqual({ client })
  })

  it('take no client with a keyPrefix, which would hold for half of what is sent', () => {
    const client = new Redis({ lazyConnect: true, keyPrefix: 'app:' })
    expect(() => resolveRedisBusOptions({ client })).toThrow(/"client" has a keyPrefix/)
  })
})
