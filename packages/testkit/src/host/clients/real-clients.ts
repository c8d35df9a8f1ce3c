import { apolloClient } from './apollo-client.ts'
import { iteratorClient } from './iterator-client.ts'
import type { RealClient } from './real-client.ts'
import { relayClient } from './relay-client.ts'
import { sinkClient } from './sink-client.ts'
import { urqlClient } from './urql-client.ts'
import { urqlFetchClient } from './urql-fetch-client.ts'

/** Every client library that the host contract runs with, on each transport that it is used on. */
export const realClients: readonly RealClient[] = [
  sinkClient('WebSocket'),
  iteratorClient('WebSocket'),
  apolloClient,
  urqlClient('WebSocket'),
  relayClient('WebSocket'),
  sinkClient('SSE'),
  iteratorClient('SSE'),
  urqlClient('SSE'),
  urqlFetchClient,
  relayClient('SSE'),
]
