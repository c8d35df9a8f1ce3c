import type { IncomingMessage } from 'node:http'
import type { OperationParams } from '@sluice/core'
import getRawBody from 'raw-body'
import { HttpError } from './http-error.ts'

/** A request whose body a framework may have read and parsed already, as Express does. */
export type SseRequest = IncomingMessage & { readonly body?: unknown }

/**
 * The parameters of a GraphQL-over-HTTP request: of the query string for GET, of the JSON body for POST.
 *
 * @throws HttpError 400, 405, 413 or 415, saying what is wrong
 * @see https://graphql.github.io/graphql-over-http/draft/#sec-Request
 */
export async function requestParams(request: SseRequest, maxBodyBytes: number): Promise<OperationParams> {
  switch (request.method) {
    case 'GET':
      return checkParams(paramsOfQuery(request.url ?? '/'))
    case 'POST':
      return checkParams(await bodyOf(request, maxBodyBytes))
    default:
      throw new HttpError(405, 'Subscribe with GET or POST.', { allow: 'GET, POST' })
  }
}

function paramsOfQuery(url: string): Record<string, unknown> {
  const start = url.indexOf('?')
  const query = new URLSearchParams(start === -1 ? '' : url.slice(start + 1))
  const params: Record<string, unknown> = {}
  for (const name of ['query', 'operationName']) params[name] = query.get(name) ?? undefined
  for (const name of ['variables', 'extensions']) {
    const value = query.get(name)
    if (value !== null && value !== '') params[name] = parseJson(value, `The parameter "${name}"`)
  }
  return params
}

async function bodyOf(request: SseRequest, maxBodyBytes: number): Promise<unknown> {
  const { body, headers } = request
  // A framework that has parsed it has checked its size and its type.
  if (isObject(body) && !(body instanceof Uint8Array)) return body
  if (typeof body === 'string' || body instanceof Uint8Array) return parseJson(String(body), 'The body')
  if (request.readableEnded)
    throw new HttpError(400, 'The body was read by another handler, which left nothing of it in "request.body".')
  const [type, ...parameters] = (headers['content-type'] ?? '').split(';').map((part) => part.trim().toLowerCase())
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))?.slice('charset='.length)
  const isJson = type === 'application/json' || type === 'application/graphql+json'
  if (!isJson || (charset !== undefined && !/^"?utf-?8"?$/.test(charset)))
    throw new HttpError(415, 'The body has to be application/json in UTF-8.')
  if ((headers['content-encoding'] ?? 'identity') !== 'identity')
    throw new HttpError(415, 'The body has to be sent without a content-encoding.')
  return parseJson(await readBody(request, maxBodyBytes), 'The body')
}

async function readBody(request: IncomingMessage, maxBodyBytes: number): Promise<string> {
  try {
    return await getRawBody(request, {
      encoding: 'utf-8',
      limit: maxBodyBytes,
      length: request.headers['content-length'] ?? null,
    })
  } catch (error) {
    if (hasStatus(error) && error.status === 413)
      // The rest of the body is not read: the connection cannot be used again.
      throw new HttpError(413, `The body has more than ${maxBodyBytes} bytes.`, { connection: 'close' })
    throw new HttpError(400, 'The body could not be read.', { connection: 'close' })
  }
}

function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new HttpError(400, `${what} is not JSON.`)
  }
}

function checkParams(params: unknown): OperationParams {
  if (Array.isArray(params)) throw new HttpError(400, 'A subscription cannot be part of a batch. Send it on its own.')
  if (!isObject(params)) throw new HttpError(400, 'The body has to be a JSON object.')
  const { query, operationName, variables, extensions } = params
  for (const [name, value] of Object.entries({ variables, extensions })) {
    if (!isAbsent(value) && !isObject(value)) throw new HttpError(400, `"${name}" has to be an object.`)
  }
  if (!isAbsent(operationName) && typeof operationName !== 'string')
    throw new HttpError(400, '"operationName" has to be a string.')
  // A persisted operation is named by its hash, in the extensions.
  if (typeof query !== 'string' && !(isAbsent(query) && isObject(extensions)))
    throw new HttpError(400, '"query" has to be a string.')
  return {
    query: typeof query === 'string' ? query : '',
    operationName: isAbsent(operationName) ? undefined : operationName,
    variables: isObject(variables) ? variables : undefined,
    extensions: isObject(extensions) ? extensions : undefined,
  }
}

function isAbsent(value: unknown): value is null | undefined {
  return value === null || value === undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function hasStatus(error: unknown): error is { readonly status: number } {
  return isObject(error) && typeof error['status'] === 'number'
}
