import { createClient as createSseClient } from 'graphql-sse'
import { createClient as createWebSocketClient } from 'graphql-ws'
import { WebSocket } from 'ws'

/** A running subscription. */
export interface Subscriber {
  /** What came, as JSON, in the order in which it came. */
  readonly received: readonly string[]
  close(): void
}

/** Subscribes over a socket of its own, with the clients that applications use. */
export function subscribe(
  url: string,
  transport: 'WebSocket' | 'SSE',
  authorization: string,
  query: string,
): Subscriber {
  const client =
    transport === 'WebSocket'
      ? createWebSocketClient({
          url: `${url.replace(/^http/, 'ws')}/graphql`,
          webSocketImpl: WebSocket,
          connectionParams: { authorization },
          retryAttempts: 0,
        })
      : createSseClient({ url: `${url}/graphql/stream`, headers: { authorization }, retryAttempts: 0 })
  const received: string[] = []
  client.subscribe(
    { query },
    {
      next: (result: unknown) => received.push(JSON.stringify((result as { data?: unknown }).data ?? result)),
      error: (error) => received.push(`error: ${error instanceof Error ? error.message : JSON.stringify(error)}`),
      complete: () => {},
    },
  )
  return { received, close: () => void client.dispose() }
}

/** Sends a mutation; resolves to its errors, if it has any. */
export async function send(url: string, authorization: string, query: string): Promise<readonly unknown[]> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization },
    body: JSON.stringify({ query }),
  })
  return ((await response.json()) as { errors?: unknown[] }).errors ?? []
}
