import { createRequire } from 'node:module'
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis'
import { Cluster as Cluster6, Redis as Redis6 } from 'ioredis-6'
import { describe, expect, inject, it } from 'vitest'
import type { RedisClient } from '../connection/redis-client.ts'
import { connectedBus, freshChannel, makeEvent, openServer } from './service.ts'

declare module 'vitest' {
  interface ProvidedContext {
    ioredisMajor: number
  }
}

describe('the client', () => {
  it('is of the major with which this project is to be tested', async () => {
    const { version } = createRequire(import.meta.url)('ioredis-6/package.json') as { version: string }
    expect(version).toMatch(/^6\./)
    // Only the sixth has an option for the protocol.
    const { options } = new Redis5({ lazyConnect: true })
    expect('protocol' in options ? 6 : 5).toBe(inject('ioredisMajor'))
    expect('protocol' in new Redis6({ lazyConnect: true }).options).toBe(true)
  })

  it('can be of either major, by its type', () => {
    const nodes = [{ host: '127.0.0.1', port: 1 }]
    const clients: RedisClient[] = [
      new Redis5({ lazyConnect: true }),
      new Redis6({ lazyConnect: true }),
      new Cluster5(nodes, { lazyConnect: true }),
      new Cluster6(nodes, { lazyConnect: true }),
    ]
    for (const client of clients) expect(client.status).toBe('wait')
  })

  it('can be of another major than the one that opens URLs', async () => {
    const server = await openServer()
    const [five, six] = [new Redis5(server.url, { lazyConnect: true }), new Redis6(server.url, { lazyConnect: true })]
    const buses = [await connectedBus({ client: five }), await connectedBus({ client: six })]
    const channel = freshChannel()
    for (const bus of buses) await bus.publish(makeEvent(channel))
    expect((await buses[0]?.history(channel, { limit: 10 }))?.events).toHaveLength(2)
  })
})
