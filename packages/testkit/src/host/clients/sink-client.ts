import type { Transport } from '../contract/fixture.ts'
import { readingResponses } from '../sse-client.ts'
import { recordSubscription } from '../subscriber.ts'
import { openTransportClient, transportLibrary } from './open-transport-client.ts'
import type { RealClient } from './real-client.ts'

/** graphql-ws or graphql-sse by itself, with a sink: `client.subscribe(payload, sink)`. */
export function sinkClient(transport: Transport): RealClient {
  return {
    name: transportLibrary[transport],
    transport,
    addsTypename: false,
    open(options) {
      const client = openTransportClient(transport, options)
      return {
        subscribe: (request) => recordSubscription((sink) => client.subscribe(request, readingResponses(sink))),
        dispose: () => client.dispose(),
      }
    },
  }
}
