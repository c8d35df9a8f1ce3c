import { cacheExchange, Client, fetchExchange } from '@urql/core'
import { nodeFetch } from '../node-fetch.ts'
import type { Subscriber } from '../subscriber.ts'
import type { RealClient } from './real-client.ts'
import { subscribeWithUrql } from './subscribe-with-urql.ts'

/**
 * `@urql/core` alone, with `fetchSubscriptions`: it reads event streams with a parser of its own, and takes the end
 * of a response for the end of the subscription, whether or not the server said `complete`.
 */
export const urqlFetchClient: RealClient = {
  name: 'urql with fetch',
  transport: 'SSE',
  addsTypename: false,
  open({ url, headers }) {
    const client = new Client({
      url,
      exchanges: [cacheExchange, fetchExchange],
      fetchSubscriptions: true,
      fetchOptions: { headers: { ...headers } },
      fetch: nodeFetch as unknown as typeof fetch,
    })
    const subscribers: Subscriber[] = []
    return {
      subscribe(request) {
        const subscriber = subscribeWithUrql(client, request)
        subscribers.push(subscriber)
        return subscriber
      },
      async dispose() {
        for (const subscriber of subscribers) subscriber.complete()
      },
    }
  },
}
