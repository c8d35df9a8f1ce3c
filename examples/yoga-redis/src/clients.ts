import { createClient as createSseClient } from 'graphql-sse'
import { createClient as createWebSocketClient } from 'graphql-ws'
import { WebSocket } from 'ws'
import type { Message } from './schema.ts'

/** What an operation, or an event of a subscription, results in. */
export interface Result<TData> {
  readonly data?: TData | null
  readonly errors?: readonly { readonly message: string; readonly extensions?: { readonly code?: unknown } }[]
  readonly extensions?: { readonly sluice?: { readonly gap?: { readonly reason: string } } }
}

export type Transport = 'WebSocket' | 'SSE'

/** A running subscription to what is said. */
export interface Listener {
  readonly received: readonly Result<{ readonly said: Message }>[]
  /** Why it ended; `undefined` while it runs. */
  readonly end: unknown
  close(): void
}

/** Subscribes over a socket of its own, with the clients that applications use. They try nothing twice. */
export function listenTo(url: string, transport: Transport, token: string): Listener {
  const client =
    transport === 'WebSocket'
      ? createWebSocketClient({
          url: url.replace(/^http/, 'ws'),
          webSocketImpl: WebSocket,
          connectionParams: { authorization: token },
          retryAttempts: 0,
        })
      : createSseClient({ url, headers: { authorization: token }, retryAttempts: 0 })
  const received: Result<{ readonly said: Message }>[] = []
  const listener = { received, end: undefined as unknown, close: () => void client.dispose() }
  client.subscribe(
    { query: 'subscription { said { text by instance } }' },
    {
      next: (result: unknown) => received.push(result as Result<{ readonly said: Message }>),
      error(error: unknown) {
        listener.end = error
      },
      complete() {
        listener.end = 'it was completed'
      },
    },
  )
  return listener
}

/** Says something, over HTTP. */
export async function say(url: string, token: string, text: string): Promise<Result<{ readonly say: Message }>> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: token },
    body: JSON.stringify({
      query: 'mutation ($text: String!) { say(text: $text) { text by instance } }',
      variables: { text },
    }),
  })
  return (await response.json()) as Result<{ readonly say: Message }>
}
