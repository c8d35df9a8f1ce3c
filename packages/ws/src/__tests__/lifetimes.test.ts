import { describe, expect, it, vi } from 'vitest'
import { rawClient } from './raw-client.ts'
import { openService } from './service.ts'
import { until } from './until.ts'

const NEWS = 'subscription ($topic: String!) { news(topic: $topic) { text } }'

describe('a socket', () => {
  it('releases everything when it is cut', async () => {
    await using service = await openService()
    const clients = await Promise.all(Array.from({ length: 10 }, () => rawClient(service.url)))
    for (const client of clients) {
      client.subscribe('1', NEWS, { topic: 'a' })
      client.subscribe('2', NEWS, { topic: 'b' })
      client.subscribe('3', 'subscription { silence }')
    }
    await until(() => service.activeCount() === 30)

    for (const { socket } of clients) socket.terminate()
    await until(() => service.executor.metrics().connections.active === 0)

    expect(service.executor.metrics()).toMatchObject({
      connections: { active: 0, total: 10 },
      subscriptions: { active: 0, total: 30 },
      groups: { active: 0 },
    })
    expect(service.released.count).toBe(10)
    expect(service.errors).toEqual([])
  })

  it('is closed with 4400 for a malformed message; others go on', async () => {
    await using service = await openService()
    const bad = await rawClient(service.url)
    const good = await rawClient(service.url)
    for (const client of [bad, good]) client.subscribe('1', NEWS, { topic: 'a' })
    await until(() => service.activeCount() === 2)

    bad.socket.send('{ not json')
    expect(await bad.closed).toEqual({ code: 4400, reason: 'Invalid message received' })
    await until(() => service.activeCount() === 1)
    await service.publish('a', { text: 'x' })

    expect(await good.has(1)).toMatchObject([{ type: 'next' }])
  })

  it('is told no internal message by graphql-ws itself', async () => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {})
    await using service = await openService()
    const client = await rawClient(service.url)
    client.send({ id: '1', type: 'next', payload: {} })

    expect(await client.closed).toEqual({ code: 4500, reason: 'Internal server error' })
    expect(logged).toHaveBeenCalledOnce()
    logged.mockRestore()
  })

  it('keeps nothing of operations that are over', async () => {
    const payloads: WeakRef<object>[] = []
    await using service = await openService({
      hooks: { onSubscribe: (_, __, payload) => void payloads.push(new WeakRef(payload)) },
    })
    const client = await rawClient(service.url)
    for (let index = 0; index < 100; index += 1) {
      client.subscribe('1', index % 2 === 0 ? NEWS : 'subscription { silence }', { topic: 'a' })
      await until(() => service.activeCount() === 1)
      client.send({ id: '1', type: 'complete' })
      await until(() => service.activeCount() === 0)
      client.subscribe('2', '{ hello }')
      await client.has(2 * (index + 1))
    }
    expect(payloads).toHaveLength(200)

    await until(() => {
      globalThis.gc?.()
      return payloads.filter((payload) => payload.deref() !== undefined).length <= 2
    })
  })
})
