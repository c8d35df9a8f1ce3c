import { once } from 'node:events'
import { type ClientOptions, WebSocket } from 'ws'
import { until } from './until.ts'

export interface Message {
  readonly id?: string
  readonly type: string
  readonly payload?: unknown
}

/** A client that sends exactly what it is told to, and remembers what it got. */
export interface RawClient {
  readonly socket: WebSocket
  readonly messages: Message[]
  readonly texts: string[]
  /** Resolves with code and reason. */
  readonly closed: Promise<{ code: number; reason: string }>
  /** All in one go: they are one chunk for the server, which processes them in one tick. */
  send(...messages: object[]): void
  subscribe(id: string, query: string, variables?: Record<string, unknown>): void
  /** Resolves when there are so many messages. */
  has(count: number): Promise<Message[]>
}

export async function rawClient(
  url: string,
  options: ClientOptions & { readonly init?: boolean } = {},
): Promise<RawClient> {
  const { init = true, ...socketOptions } = options
  const socket = new WebSocket(url, 'graphql-transport-ws', socketOptions)
  const messages: Message[] = []
  const texts: string[] = []
  socket.on('message', (data) => {
    texts.push(String(data))
    messages.push(JSON.parse(String(data)) as Message)
  })
  socket.on('error', () => {})
  const closed = once(socket, 'close').then(([code, reason]) => ({ code: code as number, reason: String(reason) }))
  await once(socket, 'open')
  const client: RawClient = {
    socket,
    messages,
    texts,
    closed,
    send(...sent) {
      const stream = Reflect.get(socket, '_socket') as { cork(): void; uncork(): void }
      stream.cork()
      for (const message of sent) socket.send(JSON.stringify(message))
      stream.uncork()
    },
    subscribe(id, query, variables) {
      client.send({ id, type: 'subscribe', payload: { query, variables } })
    },
    async has(count) {
      await until(() => messages.length >= count)
      return messages
    },
  }
  if (init) {
    client.send({ type: 'connection_init' })
    await client.has(1)
    messages.length = 0
    texts.length = 0
  }
  return client
}
