import type { IncomingMessage } from 'node:http'
import { HttpError } from './http-error.ts'
import { isJson, mediaTypeOf } from './media-type.ts'

/** What a page of another site can have a browser send without asking first. */
const simpleContentTypes = new Set(['', 'application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain'])

const preflightedHeaders = ['x-apollo-operation-name', 'apollo-require-preflight'] as const

/**
 * Refuses what a browser would send for a page of another site without a preflight request, with the user's cookies: the
 * rule of Apollo Server, so that one client set-up suits both endpoints. It also refuses a GET with a content type that
 * says nothing of a GET, since a browser is known that sends some of these without asking.
 *
 * @see https://www.apollographql.com/docs/apollo-server/security/cors#preventing-cross-site-request-forgery-csrf
 * @see https://github.com/advisories/GHSA-9q82-xgwf-vj6h
 * @throws HttpError 400 or 415
 */
export function preventCsrf({ headers, method }: IncomingMessage): void {
  const type = mediaTypeOf(headers['content-type'])
  if (method === 'GET' && type !== '' && !isJson(type))
    throw new HttpError(415, 'The content-type of a GET has to be application/json, if it has any.')
  if (!simpleContentTypes.has(type)) return
  if (preflightedHeaders.some((name) => (headers[name]?.length ?? 0) > 0)) return
  throw new HttpError(
    400,
    `This operation was refused as a possible Cross-Site Request Forgery. Send a "content-type" such as application/json, or a non-empty header ${preflightedHeaders.map((name) => `"${name}"`).join(' or ')}.`,
  )
}
