import { Buffer } from 'node:buffer'
import { createServer } from 'node:http'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import { nowMicros } from '../src/clock.ts'
import { Load } from '../src/client/load.ts'
import { listenForAcknowledgements } from '../src/processes/acknowledgements.ts'
import { listen } from '../src/servers/listen.ts'
import { startRawWs } from '../src/servers/raw-ws.ts'
import { StartCounter } from '../src/servers/start-counter.ts'
import { FIRST_SEQUENCE, workloads } from '../src/workload/workload.ts'

const { order } = workloads

/** Clients of a server on that port. What is wrong with it is in `failure`. */
async function load(port: number, connectionCount: number) {
  const acknowledgements = await listenForAcknowledgements()
  let fail = (_error: Error): void => {}
  const failure = new Promise<Error>((resolve) => {
    fail = resolve
  })
  const address = { port, path: '/graphql' }
  const { port: acknowledgementPort } = acknowledgements
  const clients = new Load(
    { transport: 'ws', address, acknowledgementPort, connectionCount, workload: 'order' },
    (error) => fail(error),
  )
  onTestFinished(() => clients.close())
  await clients.open()
  return { clients, acknowledgements, failure }
}

/** A server that acknowledges everybody, and then sends each what the function makes of the right message. */
async function lyingServer(lie: (right: string, subscriber: number) => readonly (string | Buffer)[]) {
  const httpServer = createServer()
  const subscribers: WebSocket[] = []
  const starts = new StartCounter()
  new WebSocketServer({ server: httpServer }).on('connection', (socket) => {
    onTestFinished(() => socket.terminate())
    socket.on('message', (text) => {
      if ((text as Buffer).toString().includes('connection_init')) return socket.send('{"type":"connection_ack"}')
      subscribers.push(socket)
      starts.count()
    })
  })
  onTestFinished(() => void httpServer.close())
  return {
    port: await listen(httpServer),
    starts,
    publish(sequence: number) {
      const data = { orderChanged: order.make(sequence, Math.floor(nowMicros())) }
      const right = JSON.stringify({ id: '1', type: 'next', payload: { data } })
      for (const [index, subscriber] of subscribers.entries()) {
        for (const message of lie(right, index)) subscriber.send(message)
      }
    },
  }
}

describe('the clients', () => {
  it('count what a server delivers, and acknowledge each tick', async () => {
    const starts = new StartCounter()
    const server = await startRawWs({ workload: order, starts, share: 'tenant', isCompiled: false, without: null })
    const { clients, acknowledgements } = await load(server.port, 3)
    await starts.reached(3)
    clients.begin({ firstSequence: FIRST_SEQUENCE, eventsPerTick: 2 })
    for (const first of [FIRST_SEQUENCE, FIRST_SEQUENCE + 2]) {
      const acknowledged = acknowledgements.next()
      server.publish(order.make(first, nowMicros()))
      server.publish(order.make(first + 1, nowMicros()))
      await acknowledged
    }
    const { deliveryCount, latencyMicros } = clients.end(4)
    expect(deliveryCount).toBe(12)
    expect(latencyMicros.p99).toBeGreaterThanOrEqual(latencyMicros.p50)
    expect(latencyMicros.p50).toBeGreaterThan(0)
  })

  it.each([
    ['wrong bytes', (right: string) => [right.replace('EUR', 'USD')], 'Expected event 1000000'],
    ['wrong bytes to the second of them', (right: string, to: number) => [to === 1 ? `${right} x` : right], 'Client 1'],
    ['something twice', (right: string) => [right, right], 'More arrived than was published'],
    ['a binary message', (right: string) => [Buffer.from(right)], 'binary message'],
    ['an error', () => ['{"id":"1","type":"error","payload":[]}'], 'Client 0'],
  ])('find out a server that sends %s', async (_what, lie, message) => {
    const server = await lyingServer(lie)
    const { clients, failure } = await load(server.port, 2)
    await server.starts.reached(2)
    clients.begin({ firstSequence: FIRST_SEQUENCE, eventsPerTick: 1 })
    server.publish(FIRST_SEQUENCE)
    expect((await failure).message).toContain(message)
  })

  it('find out a server that leaves somebody out', async () => {
    const server = await lyingServer((right, subscriber) => (subscriber === 0 ? [right] : []))
    const { clients } = await load(server.port, 2)
    await server.starts.reached(2)
    clients.begin({ firstSequence: FIRST_SEQUENCE, eventsPerTick: 1 })
    server.publish(FIRST_SEQUENCE)
    while (clients.missingCount > 1) await new Promise((resolve) => setImmediate(resolve))
    expect(() => clients.end(1)).toThrow('1 messages arrived instead of 2.')
  })
})
