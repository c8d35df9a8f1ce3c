import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import type { HostFactory, RunningHost } from '../host-factory.ts'
import { openHost } from './fixture.ts'

const acme = { tenantId: 'acme' }
const items = 'subscription { ofTenant(channel: "items") { id } }'

/** The socket itself: what is no GraphQL on it, and who else lives beside it. */
export function socketsContract(factory: HostFactory): void {
  describe('sockets', () => {
    const malformed = {
      'is no JSON': 'subscribe, please',
      'is no message of the protocol': '{"type":"please"}',
      'has no id': '{"type":"subscribe","payload":{"query":"{ hello }"}}',
      'has variables that are no object': JSON.stringify({
        id: '1',
        type: 'subscribe',
        payload: { query: items, variables: 'all' },
      }),
      'has no query': '{"id":"1","type":"subscribe","payload":{}}',
    }
    for (const [what, message] of Object.entries(malformed)) {
      it(`are closed with 4400 by a message that ${what}, and the others go on`, async () => {
        const { active, connect, publish } = await openHost(factory)
        const [good, bad] = [connect(acme), connect(acme)]
        const subscribers = [good, bad].map((client) => client.subscribe({ query: items }))
        await active(2)
        const socket = await bad.opened
        socket.send(message)
        expect((await bad.closed).code).toBe(4400)
        await active(1)
        await publish({ id: '1' })
        expect(await subscribers[0]?.received(1)).toHaveLength(1)
        expect(subscribers[1]?.results).toEqual([])
      })
    }

    it('speak graphql-transport-ws, and need its initialisation', async () => {
      const { host, released } = await openHost(factory)
      const socket = new WebSocket(host.wsUrl, 'graphql-transport-ws', { headers: {} })
      onTestFinished(() => socket.terminate())
      await once(socket, 'open')
      socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: items } }))
      const [code] = (await once(socket, 'close')) as [number]
      expect(code).toBe(4401)
      await released()
    })

    it('of another WebSocket server on another path of the same HTTP server keep working', async () => {
      const { active, connect, host, publish, stop } = await openHost(factory)
      const echo = openEchoServer(host)
      const subscriber = connect(acme).subscribe({ query: items })
      const other = new WebSocket(new URL('/echo', host.wsUrl))
      onTestFinished(() => other.terminate())
      await Promise.all([once(other, 'open'), active(1)])
      other.send('hello')
      const [answer] = (await once(other, 'message')) as [Buffer]
      expect(String(answer)).toBe('echo: hello')
      await publish({ id: '1' })
      expect(await subscriber.received(1)).toHaveLength(1)
      expect(host.executor.metrics().connections).toEqual({ active: 1, total: 1 })

      const closed = once(other, 'close')
      other.close(1000)
      await closed
      echo.close()
      await stop()
    })
  })
}

function openEchoServer({ httpServer }: RunningHost): WebSocketServer {
  const server = new WebSocketServer({ noServer: true })
  httpServer.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (request.url !== '/echo') return
    server.handleUpgrade(request, socket, head, (client) => {
      client.on('message', (message: Buffer) => client.send(`echo: ${message.toString()}`))
    })
  })
  return server
}
