import type { SubscribePayload } from 'graphql-ws'
import type { Transport } from '../contract/fixture.ts'
import { requestParamsOf, sseClient } from '../sse-client.ts'
import type { RecordingSink } from '../subscriber.ts'
import { webSocketClient } from '../ws-client.ts'
import type { RealClientOptions } from './real-client.ts'

/** What graphql-ws and graphql-sse have in common, which is what other libraries are set up with. */
export interface TransportClient {
  subscribe(payload: SubscribePayload, sink: RecordingSink): () => void
  iterate(payload: SubscribePayload): AsyncIterableIterator<unknown>
  dispose(): Promise<void>
}

/** The library that speaks the transport's protocol. */
export const transportLibrary: Readonly<Record<Transport, string>> = { WebSocket: 'graphql-ws', SSE: 'graphql-sse' }

/** The released client of the transport. */
export function openTransportClient(transport: Transport, { url, headers }: RealClientOptions): TransportClient {
  if (transport === 'WebSocket') {
    const { client, dispose } = webSocketClient({ url, headers, lazy: true })
    return {
      subscribe: (payload, sink) => client.subscribe(payload, sink),
      iterate: (payload) => client.iterate(payload),
      dispose,
    }
  }
  const client = sseClient({ url, headers })
  return {
    subscribe: (payload, sink) => client.subscribe(requestParamsOf(payload), sink),
    iterate: (payload) => client.iterate(requestParamsOf(payload)),
    async dispose() {
      client.dispose()
    },
  }
}
