import {
  type ClientResult,
  type Subscriber,
  subscribeOverSse,
  type WebSocketClient,
  webSocketClient,
} from '@sluice/testkit'
import type { RequestParams } from 'graphql-sse'
import { onTestFinished } from 'vitest'
import type { ServerAddress } from './test-server.ts'
import { headersOf, type User } from './users.ts'

export type Transport = 'WebSocket' | 'SSE'

export const transports = ['WebSocket', 'SSE'] as const satisfies readonly Transport[]

/** The clients of one server in one test, with the released libraries. They leave when the test is over. */
export interface Clients {
  /** A client on a socket of its own. */
  connect(user: User | undefined): WebSocketClient
  /** An operation of a client of its own, on a connection of its own. */
  subscribe(transport: Transport, user: User | undefined, request: string | RequestParams): Subscriber
  /** A query or mutation over HTTP. */
  post(user: User | undefined, query: string): Promise<ClientResult>
}

export function clientsOf({ address, ssePath }: ServerAddress): Clients {
  const sockets: WebSocketClient[] = []
  const streams: Subscriber[] = []
  onTestFinished(async () => {
    for (const stream of streams) stream.complete()
    await Promise.all(sockets.map((socket) => socket.dispose()))
  })
  const connect = (user: User | undefined): WebSocketClient => {
    const client = webSocketClient({ url: `ws://${address}/graphql`, headers: headersOf(user) })
    sockets.push(client)
    return client
  }
  return {
    connect,
    subscribe(transport, user, request) {
      const params = typeof request === 'string' ? { query: request } : request
      if (transport === 'WebSocket') return connect(user).subscribe(params)
      const stream = subscribeOverSse({ url: `http://${address}${ssePath}`, headers: headersOf(user) }, params)
      streams.push(stream)
      return stream
    },
    async post(user, query) {
      const response = await fetch(`http://${address}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headersOf(user) },
        body: JSON.stringify({ query }),
      })
      return (await response.json()) as ClientResult
    },
  }
}
