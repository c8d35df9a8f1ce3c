import type { IncomingHttpHeaders } from 'node:http'
import { HttpError } from './http-error.ts'

/** What a page of another site can have a browser send without asking first. */
const simpleContentTypes = new Set(['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain'])

const preflightedHeaders = ['x-apollo-operation-name', 'apollo-require-preflight'] as const

/**
 * Refuses what a browser would send for a page of another site without a preflight request, with the user's cookies: the
 * rule of Apollo Server, so that one client set-up suits both endpoints.
 *
 * @see https://www.apollographql.com/docs/apollo-server/security/cors#preventing-cross-site-request-forgery-csrf
 * @throws HttpError 400
 */
export function preventCsrf(headers: IncomingHttpHeaders): void {
  const contentType = headers['content-type']?.split(';')[0]?.trim().toLowerCase()
  if (contentType !== undefined && contentType !== '' && !simpleContentTypes.has(contentType)) return
  if (preflightedHeaders.some((name) => (headers[name]?.length ?? 0) > 0)) return
  throw new HttpError(
    400,
    `This operation was refused as a possible Cross-Site Request Forgery. Send a "content-type" such as application/json, or a non-empty header ${preflightedHeaders.map((name) => `"${name}"`).join(' or ')}.`,
  )
}
