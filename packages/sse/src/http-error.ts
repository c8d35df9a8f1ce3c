import type { ServerResponse } from 'node:http'

/** Why a request cannot be answered with an event stream. It is what the client did, so that it may know. */
export class HttpError extends Error {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.status = status
    this.headers = headers
  }
}

/** Answers with the error as a GraphQL response. */
export function answerWith({ status, message, headers }: HttpError, response: ServerResponse): void {
  const code = status === 503 ? 'DRAINING' : 'BAD_REQUEST'
  const { connection, ...others } = headers
  const isHttp1 = response.req.httpVersionMajor < 2 // in HTTP/2 there is no such header
  response.writeHead(status, {
    ...(connection !== undefined && isHttp1 ? headers : others),
    'content-type': 'application/json; charset=utf-8',
  })
  response.end(JSON.stringify({ errors: [{ message, extensions: { code } }] }))
}
