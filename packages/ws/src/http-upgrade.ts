import type { Buffer } from 'node:buffer'
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { SluiceError } from '@sluice/core'

/** Takes over a connection that asks for WebSocket. */
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

/**
 * Hands over the upgrades of exactly one path of an HTTP server; the query is not part of it. Those of paths that
 * nobody gave to this function are left to whoever else listens for upgrades, and answered with 404 if nobody does.
 *
 * @returns what stops it
 * @throws SluiceError BAD_CONFIG if the path is served already: two handlers of one upgrade would end the process
 */
export function onUpgradeOf(server: Server, path: string, handle: UpgradeHandler): () => void {
  const dispatcher = dispatchers.get(server) ?? new UpgradeDispatcher(server)
  dispatchers.set(server, dispatcher)
  return dispatcher.add(path, handle)
}

const dispatchers = new WeakMap<Server, UpgradeDispatcher>()

/**
 * All our paths of one server, behind one listener. Were it a listener for each path, none of them could tell an
 * upgrade that another one takes from one that nobody takes. It listens as long as it has a path.
 */
class UpgradeDispatcher {
  readonly #server: Server
  readonly #handlers: Map<string, UpgradeHandler> = new Map()

  constructor(server: Server) {
    this.#server = server
  }

  add(path: string, handle: UpgradeHandler): () => void {
    if (this.#handlers.has(path)) {
      throw new SluiceError(
        'BAD_CONFIG',
        `[attachWebSocket] the path "${path}" of this server is served already; detach it first, or use another path.`,
      )
    }
    if (this.#handlers.size === 0) this.#server.on('upgrade', this.#dispatch)
    this.#handlers.set(path, handle)
    let added = true
    return () => {
      if (!added) return
      added = false
      this.#handlers.delete(path)
      if (this.#handlers.size === 0) this.#server.off('upgrade', this.#dispatch)
    }
  }

  readonly #dispatch: UpgradeHandler = (request, socket, head) => {
    const handle = this.#handlers.get(pathOf(request))
    if (handle !== undefined) return handle(request, socket, head)
    // Node has taken its own listener off the socket. If nobody puts one on, a client that resets its connection
    // ends the process; to those who put on theirs, one more that does nothing makes no difference.
    socket.on('error', () => {})
    if (!this.#othersListen()) notFound(socket)
  }

  /** Whoever listens beside us may serve the path, now or later, so it is not for us to answer. */
  #othersListen(): boolean {
    return this.#server.listenerCount('upgrade') > 1
  }
}

/** Compared as it was sent: what is not plainly our path, however it is written, is not ours. */
function pathOf({ url = '' }: IncomingMessage): string {
  const query = url.indexOf('?')
  return query === -1 ? url : url.slice(0, query)
}

/** Node has given the socket to the listeners, and would leave it open for ever. */
function notFound(socket: Duplex): void {
  socket.once('finish', () => socket.destroy())
  socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
}
