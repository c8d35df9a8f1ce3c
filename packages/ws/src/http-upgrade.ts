import type { Buffer } from 'node:buffer'
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'

/** Takes over a connection that asks for WebSocket. */
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

/**
 * Hands over the upgrades of exactly one path of an HTTP server; the query is not part of it. Those of other
 * paths are left to whoever else listens. If nobody does, they are answered with 404: Node has given the socket
 * to the listeners, and would leave it open, unwatched, for ever.
 *
 * @returns what stops it
 */
export function onUpgradeOf(server: Server, path: string, handle: UpgradeHandler): () => void {
  const onUpgrade: UpgradeHandler = (request, socket, head) => {
    if (pathOf(request) === path) handle(request, socket, head)
    else if (server.listenerCount('upgrade') === 1) notFound(socket)
  }
  server.on('upgrade', onUpgrade)
  return () => {
    server.off('upgrade', onUpgrade)
  }
}

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
