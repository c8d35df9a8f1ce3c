import { Buffer } from 'node:buffer'
import { createServer, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import type { BenchServer, ServerSetup, StartServer } from './bench-server.ts'
import { listen } from './listen.ts'

interface Subscriber {
  readonly webSocket: WebSocket
  readonly socket: Socket
}

/** The limit: one buffer, built once, and one write per socket and event. */
export const startRawWs: StartServer = (setup) => startBroadcast(setup, send)

/** The limit of the limit: what a socket is sent in one tick leaves in one write. */
export const startRawWsCorked: StartServer = (setup) => {
  const corked = new Set<Socket>()
  const uncork = (): void => {
    for (const socket of corked) socket.uncork()
    corked.clear()
  }
  return startBroadcast(setup, (subscriber, message) => {
    if (corked.size === 0) process.nextTick(uncork)
    if (!corked.has(subscriber.socket)) {
      corked.add(subscriber.socket)
      subscriber.socket.cork()
    }
    send(subscriber, message)
  })
}

function send({ webSocket }: Subscriber, message: Buffer): void {
  webSocket.send(message, { binary: false })
}

/** Just enough of graphql-transport-ws for the clients: every operation is the one subscription, and has the id 1. */
async function startBroadcast(
  { workload, starts }: ServerSetup,
  sendTo: (subscriber: Subscriber, message: Buffer) => void,
): Promise<BenchServer> {
  const subscribers = new Set<Subscriber>()
  const httpServer = createServer()
  const webSocketServer = new WebSocketServer({ server: httpServer, path: '/graphql' })
  webSocketServer.on('connection', (webSocket: WebSocket, { socket }: IncomingMessage) => {
    const subscriber = { webSocket, socket }
    webSocket.on('message', (text: Buffer) => {
      const { type } = JSON.parse(text.toString()) as { type: string }
      if (type === 'connection_init') webSocket.send('{"type":"connection_ack"}')
      if (type !== 'subscribe') return
      subscribers.add(subscriber)
      starts.count()
    })
    webSocket.on('error', () => {})
    webSocket.once('close', () => subscribers.delete(subscriber))
  })
  return {
    port: await listen(httpServer),
    path: '/graphql',
    publish(data) {
      const message = Buffer.from(
        JSON.stringify({ id: '1', type: 'next', payload: { data: { [workload.field]: data } } }),
      )
      for (const subscriber of subscribers) sendTo(subscriber, message)
    },
  }
}
