import { Buffer } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import getRawBody from 'raw-body'
import { closing, HttpError } from './http-error.ts'
import { isJson, isUtf8, mediaTypeOf } from './media-type.ts'
import { parseJson } from './parse-json.ts'

/** How long a body may take to arrive, in milliseconds. Node's own limit is five minutes, and over HTTP/2 none. */
const BODY_TIMEOUT_MS = 30_000

/** The bodies of one endpoint's requests: who reads them, and who waits for them to arrive. */
export class RequestBodies {
  readonly #maxBytes: number
  readonly #reading = new Set<(error: HttpError) => void>()

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /**
   * What the body says: as a framework has parsed it, or else as JSON.
   *
   * @throws HttpError 400, 408, 413 or 415, saying what is wrong, and what `giveUp` is given
   */
  async valueOf(request: IncomingMessage & { readonly body?: unknown }): Promise<unknown> {
    const { body, headers } = request
    // Express 4 leaves an empty object where none of its parsers wanted the body, and the body where it was.
    const isUnread = body === undefined || (isEmptyObject(body) && !request.readableDidRead)
    // A framework that has read it has checked its size and its type.
    if (!isUnread) return isText(body) ? parseJson(textOf(body), 'The body') : body
    if (request.readableDidRead || request.readableEnded)
      throw new HttpError(400, 'The body was read by another handler, which left nothing of it in "request.body".')
    const contentType = headers['content-type']
    if (!isJson(mediaTypeOf(contentType)) || !isUtf8(contentType))
      throw new HttpError(415, 'The body has to be application/json in UTF-8.')
    if ((headers['content-encoding'] ?? 'identity').toLowerCase() !== 'identity')
      throw new HttpError(415, 'The body has to be sent without a content-encoding.')
    return parseJson(await this.#read(request), 'The body')
  }

  /** Nobody waits any more for what has not arrived. */
  giveUp(error: HttpError): void {
    for (const reject of this.#reading) reject(error)
  }

  #read(request: IncomingMessage): Promise<string> {
    return new Promise((resolve, reject) => {
      const settled = (): void => {
        clearTimeout(timer)
        this.#reading.delete(refuse)
      }
      const refuse = (error: HttpError): void => {
        settled()
        reject(error)
      }
      const timer = setTimeout(
        () => refuse(new HttpError(408, `The body did not arrive in ${BODY_TIMEOUT_MS} ms.`, closing)),
        BODY_TIMEOUT_MS,
      )
      this.#reading.add(refuse)
      const { 'content-length': length = null } = request.headers
      getRawBody(request, { encoding: 'utf-8', limit: this.#maxBytes, length }).then(
        (text) => {
          settled()
          resolve(text)
        },
        (error: unknown) => refuse(this.#problem(error)),
      )
    })
  }

  #problem(error: unknown): HttpError {
    return (error as { readonly status?: unknown } | undefined)?.status === 413
      ? new HttpError(413, `The body has more than ${this.#maxBytes} bytes.`, closing)
      : new HttpError(400, 'The body could not be read.', closing)
  }
}

function isText(body: unknown): body is string | Uint8Array {
  return typeof body === 'string' || body instanceof Uint8Array
}

function textOf(body: string | Uint8Array): string {
  return typeof body === 'string' ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString()
}

function isEmptyObject(body: unknown): boolean {
  return typeof body === 'object' && body !== null && !Array.isArray(body) && Object.keys(body).length === 0
}
