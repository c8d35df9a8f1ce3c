import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ExecutorMetrics } from './collect-metrics.ts'

/**
 * Serves metrics as a plain `(request, response)` function, for Express, `node:http` or Fastify's raw objects. It answers
 * any path that it is given; who may ask is the server's business.
 *
 * @param onError hears why metrics could not be read; the answer is 500 then, and does not say it
 */
export function metricsHandler(
  metrics: ExecutorMetrics,
  onError: (error: unknown) => void,
): (request: IncomingMessage, response: ServerResponse) => void {
  return ({ method }, response) => {
    if (method !== 'GET' && method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD' }).end()
      return
    }
    const answer = (status: number, contentType: string, body: string): void => {
      // A time limit of the application's may have answered meanwhile.
      if (!response.headersSent) response.writeHead(status, { 'content-type': contentType }).end(body)
    }
    metrics
      .render()
      .then(
        ({ contentType, body }) => answer(200, contentType, body),
        (error: unknown) => {
          answer(500, 'text/plain', 'The metrics could not be read.\n')
          onError(error)
        },
      )
      .catch(onError)
  }
}
