import { SluiceError } from '@sluice/core'
import { type ConnectionInitMessage, handleProtocols, makeServer } from 'graphql-ws'
import type { Extra } from 'graphql-ws/use/ws'
import { WebSocketServer } from 'ws'
import { type AttachWebSocketOptions, checkAttachWebSocketOptions } from './attach-web-socket-options.ts'
import { closeGracefully } from './close-gracefully.ts'
import { composeServerOptions } from './compose-server-options.ts'
import { type Connection, connectionOf } from './connection.ts'
import { onUpgradeOf } from './http-upgrade.ts'
import { keepAlive } from './keep-alive.ts'
import type { SocketServerOptions } from './operation-settings.ts'
import { serveSocket } from './serve-socket.ts'
import { startByHost } from './start-by-host.ts'
import { startByOptions } from './start-operation.ts'

/** A WebSocket endpoint on an HTTP server. */
export interface AttachedWebSocket extends AsyncDisposable {
  /**
   * Takes no more sockets and operations, ends every subscription with a `complete` message, waits for single
   * results that are under way, closes the sockets with 1001 and resolves when they are closed. Idempotent.
   */
  dispose(): Promise<void>
}

/**
 * Serves GraphQL over WebSocket on one path of an HTTP server that is already there: the building block of
 * hosts. Other WebSocket servers on other paths of the same server go on working.
 *
 * @throws SluiceError BAD_CONFIG, naming the option
 * @see https://github.com/graphql/graphql-over-http/blob/main/rfcs/GraphQLOverWebSocket.md
 */
export function attachWebSocket<
  P extends ConnectionInitMessage['payload'] = ConnectionInitMessage['payload'],
  E extends Extra = Extra,
>(options: AttachWebSocketOptions<P, E>): AttachedWebSocket {
  const serverOptions = (options.serverOptions ?? {}) as SocketServerOptions
  checkAttachWebSocketOptions(options as AttachWebSocketOptions, serverOptions)
  const { executor, server, path, host, maxPayloadBytes: maxPayload = 1_048_576 } = options
  const { keepAliveMs = 12_000, closeTimeoutMs = 5000, perMessageDeflate = false } = options

  const start = host === undefined ? startByOptions(executor, serverOptions) : startByHost(host)
  const protocol = makeServer(composeServerOptions(executor, serverOptions, start, host?.sanitizeResult))
  const sockets = new WebSocketServer({ noServer: true, maxPayload, perMessageDeflate, handleProtocols })
  const connections = new Set<Connection>()

  const detach = onUpgradeOf(server, path, (request, upgraded, head) => {
    try {
      sockets.handleUpgrade(request, upgraded, head, (socket) => {
        const connection = connectionOf({ socket, request }, executor)
        connections.add(connection)
        socket.once('close', () => connections.delete(connection))
        serveSocket(protocol, socket, request, executor)
      })
    } catch (cause) {
      // It would end the process. Whoever has taken the socket serves it, without a scope.
      const message = `[attachWebSocket] another WebSocket server has taken a connection to "${path}"; remove it, for this one serves the path.`
      executor.reportError(new SluiceError('BAD_CONFIG', message, { cause }))
    }
  })
  const stopPings = keepAlive(sockets.clients, keepAliveMs)

  const close = async (): Promise<void> => {
    detach()
    await closeGracefully([...connections], closeTimeoutMs)
    stopPings()
    sockets.close()
  }
  let closed: Promise<void> | undefined
  const dispose = (): Promise<void> => {
    closed ??= close()
    return closed
  }
  return { dispose, [Symbol.asyncDispose]: dispose }
}
