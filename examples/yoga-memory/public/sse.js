import { createClient } from './clients/graphql-sse/client.mjs'
import { backoff, dataOf, endpoint } from './request.js'

/** The subscription as server-sent events, with the client of graphql-sse; queries and mutations by `fetch`. */
export function connectSse({ bearer, onState }) {
  const headers = { authorization: bearer }
  const client = createClient({
    url: endpoint,
    headers,
    retryAttempts: Infinity,
    retry: (retries) => {
      onState('reconnecting')
      return backoff(retries)
    },
    on: {
      connecting: (isRetry) => onState(isRetry ? 'reconnecting' : 'connecting'),
      connected: () => onState('connected'),
    },
  })

  return {
    subscribe: (query, { next, end }) => client.subscribe({ query }, { next, complete: () => end(), error: end }),
    request: async (query, variables) => {
      const response = await fetch(endpoint, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify({ query, variables }),
      })
      return dataOf(await response.json())
    },
    close: () => client.dispose(),
  }
}
