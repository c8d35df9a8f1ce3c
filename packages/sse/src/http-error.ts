import { Buffer } from 'node:buffer'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerResponse } from 'node:http2'
import { draining } from '@sluice/core'

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

/** Keeps what is still to come of a request from being read: nothing else can follow on its connection. */
export const closing: Readonly<Record<string, string>> = { connection: 'close' }

/** A client of a server that takes leave has to connect elsewhere. */
export function drainingError(): HttpError {
  return new HttpError(503, draining().message, closing)
}

/** Answers with the error as a GraphQL response. */
export function answerWith(error: HttpError, request: IncomingMessage, response: ServerResponse): void {
  const { status, message } = error
  const code = status === 503 ? 'DRAINING' : 'BAD_REQUEST'
  const body = Buffer.from(JSON.stringify({ errors: [{ message, extensions: { code } }] }))
  const { connection, ...headers } = error.headers
  const isHttp2 = request.httpVersionMajor >= 2
  response.writeHead(status, {
    ...headers,
    ...(connection !== undefined && !isHttp2 && { connection }), // HTTP/2 has no such header
    'cache-control': 'no-store',
    'content-length': body.length,
    'content-type': 'application/json; charset=utf-8',
  })
  response.end(body)
  // In its place the stream is closed, which a body that nobody reads would keep open.
  if (connection !== undefined && isHttp2) (response as unknown as Http2ServerResponse).stream.close()
}
