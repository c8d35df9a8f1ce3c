import { ApolloClient, InMemoryCache, gql } from '@apollo/client'
import { CombinedGraphQLErrors } from '@apollo/client/errors'
import { GraphQLWsLink } from '@apollo/client/link/subscriptions'
import { WebSocket } from 'ws'
import { recordSubscription } from '../subscriber.ts'
import { webSocketClient } from '../ws-client.ts'
import type { RealClient } from './real-client.ts'

/**
 * `@apollo/client` with its `GraphQLWsLink` on graphql-ws. Its subscriptions never fail: a refusal and a broken
 * connection are results with an `error` and no data, and then it completes.
 */
export const apolloClient: RealClient = {
  name: 'Apollo Client',
  transport: 'WebSocket',
  addsTypename: true,
  open({ url, headers }) {
    // The link takes `WebSocket.CLOSED` from there for each error that it is told of. Node 20 has none.
    if (!('WebSocket' in globalThis)) Object.assign(globalThis, { WebSocket })
    const socket = webSocketClient({ url, headers, lazy: true })
    const client = new ApolloClient({ link: new GraphQLWsLink(socket.client), cache: new InMemoryCache() })
    return {
      subscribe: ({ query, variables }) =>
        recordSubscription((sink) => {
          const results = client.subscribe({ query: gql(query), variables, errorPolicy: 'all' })
          const subscription = results.subscribe({
            next({ data, error }) {
              if (error === undefined) sink.next({ data })
              else if (CombinedGraphQLErrors.is(error)) sink.next({ data, errors: error.errors })
              else sink.error(error)
            },
            error: sink.error,
            complete: sink.complete,
          })
          return () => subscription.unsubscribe()
        }),
      async dispose() {
        client.stop()
        await socket.dispose()
      },
    }
  },
}
