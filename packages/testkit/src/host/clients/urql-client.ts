import { cacheExchange, Client, fetchExchange, subscriptionExchange } from '@urql/core'
import type { Transport } from '../contract/fixture.ts'
import { openTransportClient, transportLibrary } from './open-transport-client.ts'
import type { RealClient } from './real-client.ts'
import { subscribeWithUrql } from './subscribe-with-urql.ts'

/**
 * `@urql/core` with its `subscriptionExchange` on graphql-ws or graphql-sse. After an `error` message of graphql-ws,
 * which is a result like others, nothing says that it was the last.
 */
export function urqlClient(transport: Transport): RealClient {
  return {
    name: `urql on ${transportLibrary[transport]}`,
    transport,
    addsTypename: false,
    open(options) {
      const transportClient = openTransportClient(transport, options)
      const client = new Client({
        url: options.url,
        exchanges: [
          cacheExchange,
          fetchExchange,
          subscriptionExchange({
            forwardSubscription: ({ query = '', operationName, variables = {}, extensions }) => ({
              subscribe: (sink) => ({
                unsubscribe: transportClient.subscribe({ query, operationName, variables, extensions }, sink),
              }),
            }),
          }),
        ],
      })
      return {
        subscribe: (request) => subscribeWithUrql(client, request),
        dispose: () => transportClient.dispose(),
      }
    },
  }
}
