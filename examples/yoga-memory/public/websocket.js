import { createClient } from './clients/graphql-ws/client.js'
import { RequestError, backoff, dataOf, endpoint } from './request.js'

/** Subscription, queries and mutations over one WebSocket, with the client of graphql-ws. */
export function connectWebSocket({ bearer, onState }) {
  const client = createClient({
    url: endpoint.replace(/^http/, 'ws'),
    connectionParams: { authorization: bearer },
    retryAttempts: Infinity,
    shouldRetry: () => true,
    retryWait: backoff,
    on: {
      connecting: (isRetry) => onState(isRetry ? 'reconnecting' : 'connecting'),
      connected: () => onState('connected'),
      closed: () => onState('reconnecting'),
    },
  })

  return {
    subscribe: (query, { next, end }) =>
      client.subscribe({ query }, { next, complete: () => end(), error: (error) => end(errorOf(error)) }),
    request: (query, variables) =>
      new Promise((resolve, reject) => {
        let result
        client.subscribe(
          { query, variables },
          {
            next: (value) => {
              result = value
            },
            complete: () => {
              try {
                resolve(dataOf(result))
              } catch (error) {
                reject(error)
              }
            },
            error: (error) => reject(errorOf(error)),
          },
        )
      }),
    close: () => client.dispose(),
  }
}

/** graphql-ws ends an operation with GraphQL errors, an Error, or the event that closed the socket. */
function errorOf(cause) {
  if (Array.isArray(cause)) return new RequestError(cause)
  if (cause instanceof Error) return cause
  return new Error(cause?.reason || 'The connection was closed.')
}
