import { freePort, startRedisServer, until } from '@sluice/testkit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type RedisService, startRedisService, type Transport } from './redis-service.ts'

const transports: [Transport][] = [['WebSocket'], ['SSE']]

async function openRedis(port?: number) {
  const server = await startRedisServer(port === undefined ? {} : { port })
  onTestFinished(() => server.stop())
  return server
}

/** Resolves when so many subscriptions are acknowledged. */
function isSubscribed({ executor }: RedisService, count: number): Promise<void> {
  return until(() => executor.metrics().subscriptions.active === count, `${count} subscriptions are active`)
}

describe('a host whose Redis is down when it starts', () => {
  it.each(transports)(
    'starts, says so, and a subscription over %s gets through when Redis comes up in time',
    async (transport) => {
      const port = await freePort()
      const service = await startRedisService({ url: `redis://127.0.0.1:${port}` })
      expect(service.executor.metrics().bus).toEqual({ name: 'redis', status: 'down' })
      const subscriber = service.subscribe(transport, 'subscription { changed }')
      await openRedis(port)
      await isSubscribed(service, 1)
      expect(service.executor.metrics().bus.status).toBe('up')
      await service.publish(1)
      expect(await subscriber.received(1)).toEqual([{ data: { changed: 1 } }])
      subscriber.complete()
    },
  )

  it.each(transports)(
    'refuses a subscription over %s with BUS_UNAVAILABLE after subscribeTimeoutMs',
    async (transport) => {
      const service = await startRedisService({
        url: `redis://127.0.0.1:${await freePort()}`,
        subscribeTimeoutMs: 300,
      })
      const startedAt = performance.now()
      const errors = await service.subscribe(transport, 'subscription { changed }').refused()
      expect(performance.now() - startedAt).toBeGreaterThan(290)
      expect(errors).toEqual([expect.objectContaining({ extensions: { code: 'BUS_UNAVAILABLE' } })])
      expect(service.executor.metrics()).toMatchObject({ subscriptions: { active: 0 }, groups: { active: 0 } })
    },
  )

  it('fails publishes with BUS_UNAVAILABLE after their time limit', async () => {
    const service = await startRedisService({ url: `redis://127.0.0.1:${await freePort()}`, publishTimeoutMs: 200 })
    await expect(service.publish(1)).rejects.toMatchObject({ code: 'BUS_UNAVAILABLE', retryable: true })
  })
})

describe('subscriptions that were live before an outage', () => {
  it.each(transports)('over %s stay, go on after it, and are told of the gap', async (transport) => {
    const redis = await openRedis()
    const service = await startRedisService({ url: redis.url, publishTimeoutMs: 200 })
    const signals = service.subscribe(transport, 'subscription { signals }')
    const ends = service.subscribe(transport, 'subscription { ends }')
    await isSubscribed(service, 2)
    await service.publish(1)
    await Promise.all([signals.received(1), ends.received(1)])

    await redis.kill()
    await until(() => service.executor.metrics().bus.status === 'down', 'the host knows')
    await expect(service.publish(2)).rejects.toMatchObject({ code: 'BUS_UNAVAILABLE' })
    expect(service.executor.metrics().subscriptions.active).toBe(2)
    await redis.start() // empty: it kept nothing
    await until(() => service.executor.metrics().bus.status === 'up', 'the host knows that too')

    await service.publish(3)
    await service.publish(4)
    expect(await signals.received(3)).toEqual([
      { data: { signals: 1 } },
      { data: { signals: 3 }, extensions: { sluice: { gap: { reason: 'epoch' } } } },
      { data: { signals: 4 } },
    ])
    await ends.ended
    expect(ends.results).toEqual([
      { data: { ends: 1 } },
      { errors: [{ message: expect.stringContaining('epoch'), extensions: { code: 'HISTORY_GAP' } }] },
    ])
    expect(service.executor.metrics()).toMatchObject({ subscriptions: { active: 1 }, events: { gaps: 1 } })
    signals.complete()
  })

  it('over both transports miss nothing if Redis kept its data', async () => {
    const redis = await startRedisServer({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] })
    onTestFinished(() => redis.stop())
    const [here, there] = [await startRedisService({ url: redis.url }), await startRedisService({ url: redis.url })]
    const subscribers = transports.map(([transport]) => here.subscribe(transport, 'subscription { ends }'))
    await isSubscribed(here, 2)
    await there.publish(1)
    await redis.kill()
    await redis.start()
    await there.publish(2)
    for (const subscriber of subscribers) {
      expect(await subscriber.received(2)).toEqual([{ data: { ends: 1 } }, { data: { ends: 2 } }])
      subscriber.complete()
    }
  })
})
