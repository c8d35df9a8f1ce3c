import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { GraphQLError } from 'graphql'
import { createClient } from 'graphql-ws'
import { describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { attachWebSocket } from '../attach-web-socket.ts'
import { rawClient } from './raw-client.ts'
import { openService } from './service.ts'
import { gate, until } from './until.ts'

const NEWS = 'subscription ($topic: String!) { news(topic: $topic) { text } }'

/** What is answered to an upgrade of this path, until the server ends the connection. */
async function upgrade(url: string, path: string): Promise<string> {
  const { port } = new URL(url)
  const socket = connect(Number(port), '127.0.0.1')
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
  )
  let answer = ''
  socket.on('data', (data) => {
    answer += String(data)
  })
  await once(socket, 'close')
  return answer
}

describe('an attached WebSocket', () => {
  it('serves operations with the client of graphql-ws', async () => {
    await using service = await openService({ attach: {} })
    const client = createClient({ url: `${service.url}?token=1`, webSocketImpl: WebSocket, retryAttempts: 0 })
    const query = client.iterate({ query: '{ hello }' })
    expect(await query.next()).toMatchObject({ value: { data: { hello: 'world' } } })
    expect(await query.next()).toMatchObject({ done: true })

    const results = client.iterate({ query: NEWS, variables: { topic: 'a' } })
    const first = results.next()
    await until(() => service.activeCount() === 1)
    await service.publish('a', { text: 'x' })
    expect(await first).toMatchObject({ value: { data: { news: { text: 'x' } } } })

    await client.dispose()
    await until(() => service.executor.metrics().connections.active === 0)
    expect(service.activeCount()).toBe(0)
  })

  it('counts a connection as soon as it is open', async () => {
    await using service = await openService({ attach: {} })
    const client = await rawClient(service.url, { init: false })
    await until(() => service.executor.metrics().connections.active === 1)

    client.socket.terminate()
    await until(() => service.executor.metrics().connections.active === 0)
  })

  it('leaves other paths to others', async () => {
    await using service = await openService({ attach: {} })
    const other = new WebSocketServer({ noServer: true })
    service.server.on('upgrade', (request, socket, head) => {
      if (request.url === '/other') other.handleUpgrade(request, socket, head, (opened) => opened.send('the other one'))
    })
    const client = new WebSocket(service.url.replace('/graphql', '/other'))
    const [message] = (await once(client, 'message')) as [Buffer]

    expect(String(message)).toBe('the other one')
    const ours = await rawClient(service.url)
    ours.subscribe('1', '{ hello }')
    await ours.has(2)
    client.terminate()
    other.close()
  })

  it.each([
    '/',
    '/graphql/',
    '/graphqlx',
    '/GraphQL',
    '//graphql',
    '/other?x=/graphql',
    '*',
    'http://localhost/graphql',
    '/%67raphql',
  ])('answers 404 for %s if nobody else listens for upgrades', async (path) => {
    await using service = await openService({ attach: {} })
    // The service itself listens, in order to count system calls.
    service.server.removeListener('upgrade', service.server.listeners('upgrade')[0] as () => void)

    expect(await upgrade(service.url, path)).toMatch(/^HTTP\/1.1 404/)
  })

  it('answers 404 for what neither of two on the same server serves', async () => {
    await using service = await openService({ attach: {} })
    service.server.removeListener('upgrade', service.server.listeners('upgrade')[0] as () => void)
    const { executor, server, schema } = service
    const second = { executor, server, path: '/other', serverOptions: { schema, context: { tenantId: 'acme' } } }
    await using attached = attachWebSocket(second)
    expect(() => attachWebSocket(second)).toThrow(expect.objectContaining({ code: 'BAD_CONFIG' }))

    expect(await upgrade(service.url, '/nope')).toMatch(/^HTTP\/1.1 404/)
    for (const path of ['/graphql', '/other']) {
      const client = await rawClient(service.url.replace('/graphql', path))
      client.subscribe('1', '{ hello }')
      await client.has(2)
    }

    await attached.dispose()
    expect(await upgrade(service.url, '/other')).toMatch(/^HTTP\/1.1 404/)
  })

  it('says nothing of the errors that the host fails to sanitize', async () => {
    await using service = await openService({ attach: {} })
    await using _ = attachWebSocket({
      executor: service.executor,
      server: service.server,
      path: '/host',
      host: {
        runOperation: () => [new GraphQLError('password=hunter2')],
        sanitizeResult: () => {
          throw new Error('no sanitizer')
        },
      },
    })
    const client = await rawClient(service.url.replace('/graphql', '/host'))
    client.subscribe('1', 'whatever')
    await client.has(1)

    expect(client.messages).toMatchObject([{ type: 'error', payload: [{ message: 'Internal server error' }] }])
    expect(service.errors).toMatchObject([{ message: 'no sanitizer' }])
  })

  it('refuses other sub-protocols, and who does not initialise, as graphql-ws does', async () => {
    await using service = await openService({ attach: {}, hooks: { connectionInitWaitTimeout: 10 } })
    const wrong = new WebSocket(service.url, 'graphql-ws')
    wrong.on('error', () => {})
    await new Promise((resolve) => wrong.once('close', resolve))

    const none = new WebSocket(service.url)
    expect((await once(none, 'close'))[0]).toBe(4406)

    const silent = await rawClient(service.url, { init: false })
    expect(await silent.closed).toMatchObject({ code: 4408 })

    const early = await rawClient(service.url, { init: false })
    early.subscribe('1', '{ hello }')
    expect(await early.closed).toMatchObject({ code: 4401 })
  })

  it('closes for what is malformed with 4400, too large with 1009; others go on', async () => {
    await using service = await openService({ attach: { maxPayloadBytes: 1000 } })
    const [malformed, unexpected, large, good] = await Promise.all([
      rawClient(service.url),
      rawClient(service.url),
      rawClient(service.url),
      rawClient(service.url),
    ])
    good.subscribe('1', NEWS, { topic: 'a' })
    await until(() => service.activeCount() === 1)

    malformed.socket.send('[]')
    unexpected.send({ id: '1', type: 'next', payload: {} })
    large.socket.send('x'.repeat(1001))

    expect(await malformed.closed).toMatchObject({ code: 4400 })
    expect(await unexpected.closed).toMatchObject({ code: 4400 })
    expect(await large.closed).toMatchObject({ code: 1009 })
    await service.publish('a', { text: 'x' })
    expect(await good.has(1)).toMatchObject([{ type: 'next' }])
    expect(service.errors).toEqual([])
  })

  it('terminates who does not answer pings', async () => {
    await using service = await openService({ attach: { keepAliveMs: 20 } })
    const deaf = await rawClient(service.url, { autoPong: false })
    const alive = await rawClient(service.url)
    let pings = 0
    alive.socket.on('ping', () => {
      pings += 1
    })

    expect(await deaf.closed).toMatchObject({ code: 1006 })
    await until(() => pings >= 3)
    expect(alive.socket.readyState).toBe(alive.socket.OPEN)
  })

  it('compresses if it is told to', async () => {
    await using service = await openService({ attach: { perMessageDeflate: true } })
    const client = await rawClient(service.url, { perMessageDeflate: true })
    expect(client.socket.extensions).toContain('permessage-deflate')
    client.subscribe('1', NEWS, { topic: 'a' })
    await until(() => service.activeCount() === 1)
    await service.publish('a', { text: 'x'.repeat(140_000) })

    expect(await client.has(1)).toMatchObject([{ payload: { data: { news: { text: 'x'.repeat(140_000) } } } }])
  })

  it('lets a host run its operations', async () => {
    await using service = await openService({ attach: {} })
    await using attached = attachWebSocket({
      executor: service.executor,
      server: service.server,
      path: '/host',
      host: {
        runOperation: ({ params: { query } }) => {
          if (query === 'bad') throw new Error('password=hunter2')
          if (query === 'refused')
            return [new GraphQLError('no', { extensions: { code: 'NO', http: { status: 403 } } })]
          return { data: { echo: query }, extensions: { http: 1 } }
        },
        sanitizeResult: ({ extensions: _, errors, ...result }) => ({
          ...result,
          ...(errors && { errors: errors.map(({ message }) => new GraphQLError(message)) }),
        }),
      },
    })
    const client = await rawClient(service.url.replace('/graphql', '/host'))
    client.subscribe('1', 'whatever')
    await client.has(2)
    client.subscribe('bad', 'bad')
    await client.has(3)
    client.subscribe('refused', 'refused')
    await client.has(4)

    expect(client.messages).toEqual([
      { id: '1', type: 'next', payload: { data: { echo: 'whatever' } } },
      { id: '1', type: 'complete' },
      {
        id: 'bad',
        type: 'error',
        payload: [{ message: 'Internal server error' }],
      },
      { id: 'refused', type: 'error', payload: [{ message: 'no' }] },
    ])
    await attached.dispose()
  })
})

describe('disposing of an attached WebSocket', () => {
  it('completes every subscription, then closes with 1001, and resolves when all are closed', async () => {
    await using service = await openService({ attach: {} })
    const clients = await Promise.all(Array.from({ length: 5 }, () => rawClient(service.url)))
    for (const client of clients) {
      client.subscribe('1', NEWS, { topic: 'a' })
      client.subscribe('2', 'subscription { silence }')
    }
    await until(() => service.activeCount() === 10)
    await service.publish('a', { text: 'last words' })

    await service.attached?.dispose()

    for (const client of clients) {
      expect(await client.closed).toEqual({ code: 1001, reason: 'Going away' })
      expect(client.messages).toMatchObject([
        { id: '1', type: 'next' },
        { id: '1', type: 'complete' },
        { id: '2', type: 'complete' },
      ])
    }
    expect(service.executor.metrics()).toMatchObject({ connections: { active: 0 }, subscriptions: { active: 0 } })
    await service.attached?.dispose()
  })

  it('is heard by the client of graphql-ws as the end of its subscriptions', async () => {
    await using service = await openService({ attach: {} })
    const client = createClient({ url: service.url, webSocketImpl: WebSocket, retryAttempts: 0 })
    const results = client.iterate({ query: NEWS, variables: { topic: 'a' } })
    const next = results.next()
    await until(() => service.activeCount() === 1)

    await service.attached?.dispose()

    expect(await next).toEqual({ done: true, value: undefined })
  })

  it('lets results that are under way arrive, and begins nothing new', async () => {
    await using service = await openService({ attach: {} })
    const client = await rawClient(service.url)
    client.subscribe('1', '{ slow }')
    client.subscribe('2', 'subscription ($topic: String!) { gated(topic: $topic) { text } }', { topic: 'a' })
    await until(() => service.gates.length === 2)

    const disposed = service.attached?.dispose()
    client.subscribe('3', '{ hello }')
    await client.has(1)
    for (const { open } of service.gates) open()
    await disposed

    expect(client.messages[0]).toMatchObject({
      id: '3',
      type: 'error',
      payload: [{ extensions: { code: 'DRAINING' } }],
    })
    expect(client.messages.filter(({ id }) => id === '1')).toMatchObject([
      { type: 'next', payload: { data: { slow: 'at last' } } },
      { type: 'complete' },
    ])
    expect(client.messages.filter(({ id }) => id === '2')).toMatchObject([{ type: 'complete' }])
    expect(service.activeCount()).toBe(0)
  })

  it('does not wait for ever: neither for results nor for clients', async () => {
    await using service = await openService({ attach: { closeTimeoutMs: 30 } })
    const waiting = await rawClient(service.url)
    waiting.subscribe('1', '{ slow }')
    const deaf = await rawClient(service.url)
    await until(() => service.gates.length === 1)
    deaf.socket.pause()

    await service.attached?.dispose()

    expect(await waiting.closed).toMatchObject({ code: 1001 })
    expect(waiting.messages).toMatchObject([{ id: '1', type: 'complete' }])
    expect(service.executor.metrics().connections.active).toBe(0)
    service.gates[0]?.open()
  })

  it('waits for onComplete before it says complete', async () => {
    const completing = gate()
    let called = false
    await using service = await openService({
      attach: {},
      hooks: {
        onComplete: () => {
          called = true
          return completing.opened
        },
      },
    })
    const client = await rawClient(service.url)
    client.subscribe('1', NEWS, { topic: 'a' })
    await until(() => service.activeCount() === 1)

    const disposed = service.attached?.dispose()
    await until(() => called)
    expect(client.messages).toEqual([])
    completing.open()
    await disposed

    expect(await client.closed).toMatchObject({ code: 1001 })
    expect(client.messages).toMatchObject([{ type: 'complete' }])
  })

  it('leaves the HTTP server, and its other listeners, as they are', async () => {
    await using service = await openService({ attach: {} })
    const before = service.server.listeners('upgrade').length

    await service.attached?.dispose()

    expect(service.server.listening).toBe(true)
    expect(service.server.listeners('upgrade')).toHaveLength(before - 1)
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const again = attachWebSocket({
      executor: service.executor,
      server,
      path: '/graphql',
      serverOptions: { schema: service.schema, context: { tenantId: 'acme' } },
    })
    const client = await rawClient(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`)
    client.subscribe('1', '{ hello }')
    await client.has(2)
    await again.dispose()
    server.close()
  })
})
