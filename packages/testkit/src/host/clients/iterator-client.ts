import type { Transport } from '../contract/fixture.ts'
import { readingResponses } from '../sse-client.ts'
import { recordSubscription } from '../subscriber.ts'
import { openTransportClient, transportLibrary } from './open-transport-client.ts'
import type { RealClient } from './real-client.ts'

/** graphql-ws or graphql-sse by itself, in a loop: `for await (const result of client.iterate(payload))`. */
export function iteratorClient(transport: Transport): RealClient {
  return {
    name: `${transportLibrary[transport]} in a loop`,
    transport,
    addsTypename: false,
    open(options) {
      const client = openTransportClient(transport, options)
      return {
        subscribe: (request) =>
          recordSubscription((recording) => {
            const sink = readingResponses(recording)
            const results = client.iterate(request)
            const read = async (): Promise<void> => {
              for await (const result of results) sink.next(result)
            }
            void read().then(sink.complete, sink.error)
            return () => void results.return?.()
          }),
        dispose: () => client.dispose(),
      }
    },
  }
}
