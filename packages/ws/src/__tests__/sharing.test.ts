import { createClient } from 'graphql-ws'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { rawClient } from './raw-client.ts'
import { openService } from './service.ts'
import { until } from './until.ts'

const NEWS = 'subscription ($topic: String!) { news(topic: $topic) { text number } }'

describe('subscriptions that share a channel', () => {
  it('are executed and serialised once for any number of sockets', async () => {
    await using service = await openService()
    const clients = await Promise.all(Array.from({ length: 50 }, () => rawClient(service.url)))
    for (const [index, client] of clients.entries()) client.subscribe(`id-${index}`, NEWS, { topic: 'a' })
    await until(() => service.activeCount() === 50)

    await service.publish('a', { text: 'hello', number: 1 })

    for (const [index, client] of clients.entries()) {
      await client.has(1)
      expect(client.texts).toEqual([
        `{"id":"id-${index}","type":"next","payload":{"data":{"news":{"text":"hello","number":1}}}}`,
      ])
    }
    expect(service.executor.metrics()).toMatchObject({
      connections: { active: 50, total: 50 },
      subscriptions: { active: 50 },
      groups: { active: 1 },
      executions: 1,
      serializations: 1,
      events: { delivered: 50, dropped: 0 },
    })
  })

  it('keep tenants apart', async () => {
    await using service = await openService()
    const acme = await rawClient(service.url)
    const other = await rawClient(service.url, { init: false })
    other.send({ type: 'connection_init', payload: { tenant: 'other' } })
    await other.has(1)
    acme.subscribe('1', NEWS, { topic: 'a' })
    other.subscribe('1', NEWS, { topic: 'a' })
    await until(() => service.activeCount() === 2)

    await service.publish('a', { text: 'secret' })
    await service.executor.publish({ tenantId: 'other', channel: 'a', type: 'news', data: { text: 'ours' } })

    await other.has(2)
    expect(other.messages[1]).toMatchObject({ payload: { data: { news: { text: 'ours' } } } })
    expect(acme.messages).toHaveLength(1)
    expect(service.executor.metrics()).toMatchObject({ executions: 2, serializations: 2 })
  })

  it.each(['"', '\\', '日本語 🚰', '\ud800', '__proto__', 'constructor', ' ', '\n', 'x'.repeat(200)])(
    'send the id %j as it came',
    async (id) => {
      await using service = await openService()
      const client = await rawClient(service.url)
      client.subscribe(id, NEWS, { topic: 'a' })
      await until(() => service.activeCount() === 1)

      await service.publish('a', { text: 'ü' })
      await client.has(1)
      client.send({ id, type: 'complete' })
      await until(() => service.activeCount() === 0)

      expect(client.texts).toEqual([
        `{"id":${JSON.stringify(id)},"type":"next","payload":{"data":{"news":{"text":"ü","number":null}}}}`,
      ])
    },
  )

  it.each([false, true, { threshold: 0, serverNoContextTakeover: true }])(
    'carry large and small results in order beside pings, permessage-deflate %j',
    async (perMessageDeflate) => {
      await using service = await openService({ perMessageDeflate, overflow: { maxPendingBytes: 16_777_216 } })
      const clients = await Promise.all(
        Array.from({ length: 3 }, () => rawClient(service.url, { perMessageDeflate: perMessageDeflate !== false })),
      )
      for (const client of clients) client.subscribe('1', NEWS, { topic: 'a' })
      await until(() => service.activeCount() === 3)
      const texts = Array.from({ length: 20 }, (_, index) => String(index).repeat(index % 2 === 0 ? 70_000 : 10))

      for (const text of texts) {
        await service.publish('a', { text })
        for (const socket of service.sockets) socket.ping()
        for (const client of clients) client.send({ type: 'ping' })
      }

      for (const client of clients) {
        await client.has(40)
        const results = client.messages.filter(({ type }) => type === 'next')
        expect(results.map(({ payload }) => (payload as { data: { news: { text: string } } }).data.news.text)).toEqual(
          texts,
        )
      }
      expect(service.executor.metrics().serializations).toBe(20)
    },
  )

  it('write a burst of events with one system call per socket', async () => {
    await using service = await openService()
    const clients = await Promise.all(Array.from({ length: 5 }, () => rawClient(service.url)))
    for (const client of clients) client.subscribe('1', NEWS, { topic: 'a' })
    await until(() => service.activeCount() === 5)
    const before = service.writes.map(({ count }) => count)

    await Promise.all(Array.from({ length: 8 }, (_, number) => service.publish('a', { number })))

    for (const client of clients) await client.has(8)
    expect(service.writes.map(({ count }, index) => count - (before[index] as number))).toEqual([1, 1, 1, 1, 1])
    expect(service.executor.metrics()).toMatchObject({ executions: 8, serializations: 8, events: { delivered: 40 } })
  })

  it('serve 50 subscriptions on one socket', async () => {
    await using service = await openService()
    const client = await rawClient(service.url)
    for (let index = 0; index < 50; index += 1)
      client.subscribe(String(index), NEWS, { topic: index % 2 === 0 ? 'even' : 'odd' })
    await until(() => service.activeCount() === 50)
    const before = service.writes[0]?.count as number

    await service.publish('even', { number: 1 })
    await client.has(25)

    expect((service.writes[0]?.count as number) - before).toBe(1)
    expect(client.messages.map(({ id }) => Number(id) % 2)).toEqual(Array.from({ length: 25 }, () => 0))
    for (let index = 0; index < 49; index += 1) client.send({ id: String(index), type: 'complete' })
    await until(() => service.activeCount() === 1)
    await service.publish('odd', { number: 2 })
    await client.has(26)
    expect(client.messages.at(-1)).toMatchObject({ id: '49', payload: { data: { news: { number: 2 } } } })
  })

  it('are understood by the client of graphql-ws', async () => {
    await using service = await openService()
    const client = createClient({ url: service.url, webSocketImpl: WebSocket, retryAttempts: 0 })
    const results = client.iterate({ query: NEWS, variables: { topic: 'a' } })
    const first = results.next()
    await until(() => service.activeCount() === 1)

    await service.publish('a', { text: 'one' })
    expect(await first).toEqual({ done: false, value: { data: { news: { text: 'one', number: null } } } })
    await service.publish('a', { text: 'two' })
    expect(await results.next()).toEqual({ done: false, value: { data: { news: { text: 'two', number: null } } } })

    await results.return?.()
    await until(() => service.activeCount() === 0)
    await client.dispose()
  })

  it('get complete when the executor drains, and no operation begins after that', async () => {
    await using service = await openService()
    const client = await rawClient(service.url)
    client.subscribe('1', NEWS, { topic: 'a' })
    await until(() => service.activeCount() === 1)
    await service.publish('a', { text: 'last' })

    await service.executor.drain()
    await client.has(2)
    client.subscribe('2', NEWS, { topic: 'a' })
    await client.has(4)

    expect(client.messages).toMatchObject([
      { id: '1', type: 'next' },
      { id: '1', type: 'complete' },
      { id: '2', type: 'next', payload: { errors: [{ extensions: { code: 'DRAINING' } }] } },
      { id: '2', type: 'complete' },
    ])
  })
})
