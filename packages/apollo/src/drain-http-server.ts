import type { Server as HttpServer, ServerResponse } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import { withTimeLimit } from '@sluice/core'

/** What closes an HTTP server without cutting anybody short. */
export interface HttpServerDrain {
  /** Takes no more connections. Those that are open are told to close with their next response. */
  stopListening(): void
  /** Resolves when the last response has been sent and every connection is closed, or has been cut after the limit. */
  closed(timeoutMs: number): Promise<void>
}

/** Watches an HTTP server from now on, so that it can be drained later. */
export function drainOf(server: HttpServer | HttpsServer): HttpServerDrain {
  let closed: Promise<void> | undefined

  const watch = (_request: unknown, response: ServerResponse): void => {
    if (closed !== undefined && !response.headersSent) response.setHeader('connection', 'close')
    response.once('close', () => {
      // Its connection is idle a moment later, and nothing would close it.
      if (closed !== undefined) setImmediate(() => server.closeIdleConnections())
    })
  }
  server.prependListener('request', watch)

  const stopListening = (): void => {
    closed ??= new Promise((resolve) => {
      // An error says that it does not listen any more: somebody else has closed it.
      server.close(() => resolve())
      server.closeIdleConnections()
    })
  }
  return {
    stopListening,
    async closed(timeoutMs) {
      stopListening()
      await withTimeLimit(closed as Promise<void>, timeoutMs, () => server.closeAllConnections())
      server.removeListener('request', watch)
    },
  }
}
