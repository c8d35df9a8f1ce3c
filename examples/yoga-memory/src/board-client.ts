import { createClient as createSseClient } from 'graphql-sse'
import { createClient as createWebSocketClient } from 'graphql-ws'
import { WebSocket } from 'ws'
import { SUBSCRIPTION } from '../public/operations.js'
import type { Tenant } from './tenants.ts'

/** What a subscriber of the board receives. */
export interface BoardResult {
  readonly data?: { readonly orderChanged: { readonly id: string; readonly status: string } } | null
  readonly errors?: readonly { readonly message: string }[]
}

export interface BoardClientOptions {
  /** Whose transport it uses: graphql-ws or graphql-sse, on a socket of its own. */
  readonly tenant: Tenant
  /** The URL of the GraphQL endpoint, with http: */
  readonly endpoint: string
  readonly bearer: string
  readonly onResult: (result: BoardResult) => void
  /** It ended: completed by the server, refused, or (with the error) cut. Not called after `close`. */
  readonly onEnd: (error?: unknown) => void
}

/**
 * Subscribes to a board from Node over a real socket, with the clients that applications use. Returns the
 * function that ends the subscription and closes the socket.
 */
export function connectBoardClient({ tenant, endpoint, bearer, onResult, onEnd }: BoardClientOptions): () => void {
  const sink = {
    next: (result: unknown) => onResult(result as BoardResult),
    error: (error: unknown) => onEnd(error),
    complete: () => onEnd(),
  }
  const operation = { query: SUBSCRIPTION }
  const client =
    tenant.transport === 'WebSocket'
      ? createWebSocketClient({
          url: endpoint.replace(/^http/, 'ws'),
          webSocketImpl: WebSocket,
          connectionParams: { authorization: bearer },
          retryAttempts: 0,
        })
      : createSseClient({ url: endpoint, headers: { authorization: bearer }, retryAttempts: 0 })
  client.subscribe(operation, sink)

  return () => {
    sink.complete = () => {}
    sink.error = () => {}
    void client.dispose()
  }
}
