import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { type ServerOptions, WebSocket, WebSocketServer } from 'ws'

/** Both ends of a WebSocket over 127.0.0.1. */
export interface OpenSocket extends AsyncDisposable {
  readonly client: WebSocket
  readonly socket: WebSocket
  readonly request: IncomingMessage
  /** Every message that the client got, as text. */
  readonly received: string[]
  /** Resolves when the client has got so many messages. */
  messages(count: number): Promise<string[]>
}

export async function openSocket(options: ServerOptions = {}): Promise<OpenSocket> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, ...options })
  await once(server, 'listening')
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const [[socket, request]] = (await Promise.all([once(server, 'connection'), once(client, 'open')])) as [
    [WebSocket, IncomingMessage],
    unknown,
  ]
  const received: string[] = []
  let wake = () => {}
  client.on('message', (data, isBinary) => {
    if (isBinary) throw new Error('a binary message')
    received.push(String(data))
    wake()
  })
  return {
    client,
    socket,
    request,
    received,
    async messages(count) {
      while (received.length < count) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      return received
    },
    async [Symbol.asyncDispose]() {
      client.terminate()
      socket.terminate()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
