import {
  Environment,
  type GraphQLResponse,
  Network,
  Observable,
  RecordSource,
  type RequestParameters,
  requestSubscription,
  Store,
  type Variables,
} from 'relay-runtime'
import type { Transport } from '../contract/fixture.ts'
import { readingResponses } from '../sse-client.ts'
import { recordSubscription } from '../subscriber.ts'
import { compileForRelay } from './compile-for-relay.ts'
import { openTransportClient, transportLibrary } from './open-transport-client.ts'
import type { RealClient } from './real-client.ts'

/**
 * `relay-runtime` with the network layer of graphql-ws's documentation, or the same on graphql-sse. Components get
 * data from its store, with `null` where an error was; the errors are told to the environment's log. A response
 * without data ends the subscription.
 */
export function relayClient(transport: Transport): RealClient {
  return {
    name: `Relay on ${transportLibrary[transport]}`,
    transport,
    addsTypename: false,
    open(options) {
      const client = openTransportClient(transport, options)
      const fetchOrSubscribe = ({ name, text }: RequestParameters, variables: Variables): Observable<GraphQLResponse> =>
        Observable.create((sink) => client.subscribe({ operationName: name, query: text ?? '', variables }, sink))
      let logged: GraphQLResponse | undefined
      const environment = new Environment({
        network: Network.create(fetchOrSubscribe, fetchOrSubscribe),
        store: new Store(new RecordSource()),
        log(event) {
          if (event.name === 'execute.next.start') logged = event.response
        },
      })
      return {
        subscribe: ({ query, variables }) =>
          recordSubscription((recording) => {
            const sink = readingResponses(recording)
            const { dispose } = requestSubscription(environment, {
              subscription: compileForRelay(options.schema, query),
              variables,
              onNext: (data) => sink.next({ data, errors: errorsIn(logged) }),
              // Relay's error about a response without data has the response's errors in its `source`.
              onError: (error) => sink.error(errorsIn('source' in error ? error.source : undefined) ?? error),
              onCompleted: () => sink.complete(),
            })
            return dispose
          }),
        dispose: () => client.dispose(),
      }
    },
  }
}

function errorsIn(response: unknown): unknown {
  return typeof response === 'object' && response !== null && 'errors' in response ? response.errors : undefined
}
