import { createClient as createSseClient } from 'graphql-sse'
import { createClient as createWebSocketClient } from 'graphql-ws'
import { WebSocket } from 'ws'

/** What an operation, or an event of a subscription, results in. */
export interface Result<TData> {
  readonly data?: TData | null
  readonly errors?: readonly { readonly message: string; readonly extensions?: { readonly code?: unknown } }[]
}

export interface SubscribeOptions {
  /** The server's. */
  readonly url: string
  readonly transport: 'WebSocket' | 'SSE'
  readonly token: string
  readonly query: string
}

/** A running subscription. */
export interface Subscriber<TData> {
  /** In the order in which it came. */
  readonly received: readonly Result<TData>[]
  /** Resolves when it has ended: with `undefined` if the server completed it, or with why it was refused or cut. */
  readonly end: Promise<unknown>
  /** Ends it, and closes the socket. */
  close(): void
}

/** Subscribes over a socket of its own, with the clients that applications use. */
export function subscribe<TData>({ url, transport, token, query }: SubscribeOptions): Subscriber<TData> {
  const client =
    transport === 'WebSocket'
      ? createWebSocketClient({
          url: `${url.replace(/^http/, 'ws')}/graphql`,
          webSocketImpl: WebSocket,
          connectionParams: { authorization: token },
          retryAttempts: 0,
        })
      : createSseClient({ url: `${url}/graphql/stream`, headers: { authorization: token }, retryAttempts: 0 })
  const received: Result<TData>[] = []
  const end = new Promise<unknown>((resolve) => {
    client.subscribe(
      { query },
      {
        next: (result: unknown) => received.push(result as Result<TData>),
        error: resolve,
        complete: () => resolve(undefined),
      },
    )
  })
  return { received, end, close: () => void client.dispose() }
}

/** Sends a query or a mutation over HTTP. */
export async function send<TData>(url: string, token: string, query: string): Promise<Result<TData>> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: token },
    body: JSON.stringify({ query }),
  })
  return (await response.json()) as Result<TData>
}
