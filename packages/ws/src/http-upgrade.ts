import type { Buffer } from 'node:buffer'
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { SluiceError } from '@sluice/core'

/** Takes over a connection that asks for WebSocket. */
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

/**
 * Hands over the upgrades of exactly one path of an HTTP server; the query is not part of it. Those of other
 * paths are left to whoever else listens. If nobody does, they are answered with 404: Node has given the socket
 * to the listeners, and would leave it open, unwatched, for ever.
 *
 * @returns what stops it
 * @throws SluiceError BAD_CONFIG if the path is served already: two handlers of one upgrade would end the process
 */
export function onUpgradeOf(server: Server, path: string, handle: UpgradeHandler): () => void {
  const paths = servedPaths.get(server) ?? new Set()
  if (paths.has(path)) {
    throw new SluiceError(
      'BAD_CONFIG',
      `[attachWebSocket] the path "${path}" of this server is served already; detach it first, or use another path.`,
    )
  }
  servedPaths.set(server, paths.add(path))
  const onUpgrade: UpgradeHandler = (request, socket, head) => {
    if (pathOf(request) === path) handle(request, socket, head)
    else if (server.listenerCount('upgrade') === 1) notFound(socket)
  }
  server.on('upgrade', onUpgrade)
  return () => {
    paths.delete(path)
    server.off('upgrade', onUpgrade)
  }
}

const servedPaths = new WeakMap<Server, Set<string>>()

/** Compared as it was sent: what is not plainly our path, however it is written, is not ours. */
function pathOf({ url = '' }: IncomingMessage): string {
  const query = url.indexOf('?')
  return query === -1 ? url : url.slice(0, query)
}

function notFound(socket: Duplex): void {
  socket.on('error', () => {})
  socket.once('finish', () => socket.destroy())
  socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
}
