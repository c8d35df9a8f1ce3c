import type { GraphQLFormattedError } from 'graphql'
import { type Client, createClient, type SubscribePayload } from 'graphql-ws'
import { WebSocket } from 'ws'
import { type ClientResult, recordSubscription, type Subscriber } from './subscriber.ts'

/** How a socket was closed. */
export interface SocketClose {
  readonly code: number
  readonly reason: string
}

export interface WebSocketClientOptions {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly connectionParams?: Readonly<Record<string, unknown>> | undefined
  /** The id of the next operation. @default a new one */
  readonly generateId?: (() => string) | undefined
  /** Connects with its first operation and leaves after its last, as the library does by itself. @default false */
  readonly lazy?: boolean | undefined
}

/** The released client of graphql-ws on one socket of `ws`. It connects at once, once, and stays, unless it is lazy. */
export interface WebSocketClient {
  /** The client itself, for what is built on it. */
  readonly client: Client
  /** Resolves with the client's end of the socket when the server has acknowledged the connection. */
  readonly opened: Promise<WebSocket>
  readonly closed: Promise<SocketClose>
  subscribe(payload: SubscribePayload): Subscriber
  /** Runs a query or mutation. */
  run(payload: SubscribePayload): Promise<ClientResult | { readonly errors: readonly GraphQLFormattedError[] }>
  /** Closes the socket with 1000. Resolves when it is closed. */
  dispose(): Promise<void>
}

export function webSocketClient({
  url,
  headers,
  connectionParams,
  generateId,
  lazy = false,
}: WebSocketClientOptions): WebSocketClient {
  let tellOpened: (socket: WebSocket) => void = () => {}
  let tellClosed: (close: SocketClose) => void = () => {}
  let failed: (error: unknown) => void = () => {}
  const opened = new Promise<WebSocket>((resolve, reject) => {
    tellOpened = resolve
    failed = reject
  })
  const closed = new Promise<SocketClose>((resolve) => {
    tellClosed = resolve
  })
  opened.catch(() => {})
  let current: WebSocket | undefined

  const opening = (socket: WebSocket): void => {
    current = socket
    socket.once('close', (code, reason) => {
      failed(new Error(`the socket was closed with ${code} ${String(reason)}`))
      tellClosed({ code, reason: String(reason) })
    })
  }
  class SocketWithHeaders extends WebSocket {
    constructor(address: string, protocols: string | string[]) {
      super(address, protocols, { headers })
      opening(this)
    }
  }

  const client: Client = createClient({
    url,
    webSocketImpl: SocketWithHeaders,
    lazy,
    retryAttempts: 0,
    onNonLazyError: () => {},
    ...(connectionParams === undefined ? undefined : { connectionParams: { ...connectionParams } }),
    ...(generateId === undefined ? undefined : { generateID: generateId }),
    on: {
      connected: () => {
        if (current !== undefined) tellOpened(current)
      },
    },
  })

  const subscribe = (payload: SubscribePayload): Subscriber =>
    recordSubscription((sink) => client.subscribe(payload, sink))
  return {
    client,
    opened,
    closed,
    subscribe,
    async run(payload) {
      const operation = subscribe(payload)
      const end = await operation.ended
      if (end.kind === 'errors') return { errors: end.errors }
      const [result] = operation.results
      if (result === undefined || operation.results.length > 1)
        throw new Error(`no single result: ${JSON.stringify([end, operation.results])}`)
      return result
    },
    async dispose() {
      await client.dispose()
      const socket = current
      if (socket !== undefined && socket.readyState !== socket.CLOSED)
        await new Promise((resolve) => socket.once('close', resolve))
    },
  }
}
