import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import { until } from '@sluice/testkit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { gate, openApollo, schemaOf } from './open-apollo.ts'

const query = 'subscription { renamed { name } }'

function connectionCount(server: { getConnections(done: (error: Error | null, count: number) => void): unknown }) {
  return new Promise<number>((resolve, reject) => {
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)))
  })
}

describe('server.stop()', () => {
  it('completes 200 sockets and 50 event streams: each gets complete and 1001, none is cut, and nothing stays open', async () => {
    const { active, connect, httpServer, publish, server, sluice, subscribe } = await openApollo()
    const clients = Array.from({ length: 200 }, () => connect())
    const subscribers = [
      ...clients.map((client) => client.subscribe({ query })),
      ...Array.from({ length: 50 }, () => subscribe(query)),
    ]
    await active(250)
    await publish({ name: 'the last one' })
    const from = performance.now()
    await server.stop()
    expect(performance.now() - from).toBeLessThan(10_000)
    for (const subscriber of subscribers) {
      expect(await subscriber.ended).toEqual({ kind: 'complete' })
      expect(subscriber.results).toEqual([{ data: { renamed: { name: 'the last one' } } }])
    }
    const codes = await Promise.all(clients.map(async ({ closed }) => (await closed).code))
    expect(codes).toEqual(clients.map(() => 1001))
    expect(httpServer.listening).toBe(false)
    await until(async () => (await connectionCount(httpServer)) === 0, 'nothing is left open')
    expect(sluice.executor.metrics()).toMatchObject({
      connections: { active: 0, total: 250 },
      subscriptions: { active: 0, byTenant: {}, ended: { byReason: { complete: 250 } } },
      groups: { active: 0 },
      queued: { events: 0, responses: 0 },
    })
    expect(httpServer.listenerCount('upgrade')).toBe(0)
  })

  it('answers the requests that are under way, and closes connections that are kept alive', async () => {
    const held = gate()
    const { httpServer, post, server, url } = await openApollo({ apollo: { schema: schemaOf(() => held.pass()) } })
    const agent = new Agent({ keepAlive: true })
    onTestFinished(() => agent.destroy())
    await post({ query: '{ hello }' })
    const [idle] = (await once(
      request(url, { method: 'POST', agent, headers: { 'content-type': 'application/json' } }).end(
        '{"query":"{hello}"}',
      ),
      'response',
    )) as [IncomingMessage]
    idle.resume()
    await once(idle, 'end')
    const under = post({ query: '{ slow }' })
    await held.reached
    const stopped = server.stop()
    await until(() => !httpServer.listening, 'it takes no more')
    held.open()
    expect(await under).toEqual({ status: 200, body: { data: { slow: 'at last' } } })
    await stopped
    expect(await connectionCount(httpServer)).toBe(0)
  })

  it('does not wait for connections that were opened in advance, and sent nothing', async () => {
    // Whoever waited for it would wait until the test is over.
    const { httpServer, server, url } = await openApollo({ sluice: { drainTimeoutMs: 2_000_000 } })
    const unused = connect(Number(new URL(url).port), '127.0.0.1')
    onTestFinished(() => void unused.destroy())
    await until(async () => (await connectionCount(httpServer)) === 1, 'it is connected')
    const closed = once(unused, 'close')
    unused.on('error', () => {})
    await Promise.all([server.stop(), closed])
    expect(httpServer.listening).toBe(false)
  })

  it('lets a query over a socket arrive before the socket is closed', async () => {
    const held = gate()
    const { connect, server } = await openApollo({ apollo: { schema: schemaOf(() => held.pass()) } })
    const client = connect()
    const answer = client.run({ query: '{ slow }' })
    await held.reached
    const stopped = server.stop()
    held.open()
    expect(await answer).toEqual({ data: { slow: 'at last' } })
    expect((await client.closed).code).toBe(1001)
    await stopped
  })

  it('cuts who does not take leave, after its limit: a request that hangs, a socket and a stream that nobody reads', async () => {
    const { active, httpServer, server, sluice, url } = await openApollo({
      apollo: { schema: schemaOf(() => new Promise<never>(() => {})) },
      sluice: { drainTimeoutMs: 400 },
    })
    const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws')
    onTestFinished(() => socket.terminate())
    await once(socket, 'open')
    socket.send('{"type":"connection_init"}')
    await once(socket, 'message')
    socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query } }))
    await active(1)
    socket.pause()
    const hanging = fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"query":"{ slow }"}',
    }).then(
      () => 'answered',
      () => 'cut',
    )
    const half = connect(Number(new URL(url).port), '127.0.0.1') // it sends half of a request, and waits
    onTestFinished(() => void half.destroy())
    half.on('error', () => {})
    half.write('POST /graphql HTTP/1.1\r\nhost: x\r\n')
    await until(async () => (await connectionCount(httpServer)) === 3, 'all three are connected')
    await server.stop()
    expect(await hanging).toBe('cut')
    await until(async () => (await connectionCount(httpServer)) === 0, 'nothing is left open')
    expect(sluice.executor.metrics().connections.active).toBe(0)
  })

  it('of a server whose HTTP server was closed by somebody else resolves too', async () => {
    const { httpServer, server } = await openApollo()
    httpServer.close()
    await server.stop()
    expect(httpServer.listening).toBe(false)
  })

  it('leaves an executor that was handed over running, and disposes of its own', async () => {
    const own = await openApollo()
    await own.server.stop()
    await expect(own.publish({ name: 'late' })).rejects.toMatchObject({ code: 'BUS_CLOSED' })
    const shared = await openApollo()
    const host = await openApollo({
      sluice: {
        executor: shared.sluice.executor,
        scope: undefined,
        eventContext: undefined,
        onError: undefined,
      } as never,
    }).catch((error: unknown) => error)
    // Options of the executor cannot stand beside it.
    expect(host).toMatchObject({ code: 'BAD_CONFIG' })
    await shared.publish({ name: 'still here' })
  })
})
