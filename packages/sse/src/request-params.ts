import type { IncomingMessage } from 'node:http'
import type { OperationParams } from '@sluice/core'
import { HttpError } from './http-error.ts'
import { parseJson } from './parse-json.ts'
import type { RequestBodies } from './request-bodies.ts'

/**
 * The parameters of a GraphQL-over-HTTP request: of the query string for GET, of the JSON body for POST.
 *
 * @throws HttpError 400, 405, 408, 413 or 415, saying what is wrong
 * @see https://graphql.github.io/graphql-over-http/draft/#sec-Request
 */
export async function requestParams(request: IncomingMessage, bodies: RequestBodies): Promise<OperationParams> {
  switch (request.method) {
    case 'GET':
      return checkParams(paramsOfQuery(request.url ?? '/'))
    case 'POST':
      return checkParams(await bodies.valueOf(request))
    default:
      throw new HttpError(405, 'Subscribe with GET or POST.', { allow: 'GET, POST' })
  }
}

/** Empty parameters are absent ones, as the specification has it; an empty `query` belongs to a persisted operation. */
function paramsOfQuery(url: string): Record<string, unknown> {
  const start = url.indexOf('?')
  const query = new URLSearchParams(start === -1 ? '' : url.slice(start + 1))
  const params: Record<string, unknown> = {
    query: query.get('query') ?? undefined,
    operationName: query.get('operationName') || undefined,
  }
  for (const name of ['variables', 'extensions']) {
    const value = query.get(name)
    if (value) params[name] = parseJson(value, `The parameter "${name}"`)
  }
  return params
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
