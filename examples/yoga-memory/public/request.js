/** Where the server answers queries and mutations, SSE and WebSocket. */
export const endpoint = new URL('/graphql', location.href).href

/** A request that was answered with errors. `code` is the first error's. */
export class RequestError extends Error {
  constructor(errors) {
    super(errors.map(({ message }) => message).join(' '))
    this.code = errors[0]?.extensions?.code
  }
}

/** The data of a result, whichever way it came. */
export function dataOf(result) {
  if (!result) throw new Error('The connection was closed before the answer came.')
  if (result.errors?.length > 0) throw new RequestError(result.errors)
  return result.data
}

/** How long to wait before connecting again: half a second at first, five at most. */
export function backoff(retries) {
  const waitMs = Math.min(5000, 500 * 2 ** retries)
  return new Promise((resolve) => {
    setTimeout(resolve, waitMs)
  })
}
