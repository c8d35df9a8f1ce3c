import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { Socket } from 'node:net'
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
  /** Connections that have sent nothing, as browsers open them in advance: to Node they are not idle. */
  const unused = new Set<Socket>()
  const connected = 'setSecureContext' in server ? 'secureConnection' : 'connection'

  const watchConnection = (socket: Socket): void => {
    unused.add(socket)
    socket.once('close', () => unused.delete(socket))
  }
  const watchUpgrade = ({ socket }: IncomingMessage): void => {
    unused.delete(socket)
  }
  const watchRequest = ({ socket }: IncomingMessage, response: ServerResponse): void => {
    unused.delete(socket)
    if (closed !== undefined && !response.headersSent) response.setHeader('connection', 'close')
    response.once('close', () => {
      // Its connection is idle a moment later, and nothing would close it.
      if (closed !== undefined) setImmediate(() => server.closeIdleConnections())
    })
  }
  server.on(connected, watchConnection)
  server.prependListener('request', watchRequest)
  // Only where somebody else listens: with a listener Node leaves the answer to it.
  if (server.listenerCount('upgrade') > 0) server.prependListener('upgrade', watchUpgrade)

  const stopListening = (): void => {
    closed ??= new Promise((resolve) => {
      // An error says that it does not listen any more: somebody else has closed it.
      server.close(() => resolve())
      server.closeIdleConnections()
      for (const socket of unused) socket.destroy()
    })
  }
  return {
    stopListening,
    async closed(timeoutMs) {
      stopListening()
      await withTimeLimit(closed as Promise<void>, timeoutMs, () => server.closeAllConnections())
      server.removeListener(connected, watchConnection)
      server.removeListener('request', watchRequest)
      server.removeListener('upgrade', watchUpgrade)
    },
  }
}
