import type { Buffer } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { INTERNAL_SERVER_ERROR, type SubscriptionExecutor } from '@sluice/core'
import { CloseCode, type Server } from 'graphql-ws'
import type { Extra } from 'graphql-ws/use/ws'
import type { WebSocket } from 'ws'

/**
 * Lets graphql-ws serve one socket. It is `useServer` of graphql-ws/use/ws without what does not suit a
 * library: what fails goes to the executor's `onError` instead of the console, and no message of an internal
 * error becomes the reason of a close frame.
 */
export function serveSocket(
  server: Server<Extra>,
  socket: WebSocket,
  request: IncomingMessage,
  executor: SubscriptionExecutor,
): void {
  const closed = server.opened(
    {
      protocol: socket.protocol,
      send: (message) =>
        new Promise((resolve, reject) => {
          if (socket.readyState !== socket.OPEN) return resolve()
          socket.send(message, (error) => (error ? reject(error) : resolve()))
        }),
      close: (code, reason) => socket.close(code, reason),
      onMessage: (listener) => {
        // A message can be larger than the largest string, if `maxPayloadBytes` is: then `toString` throws.
        const receive = async (message: unknown) => listener((message as Buffer).toString())
        socket.on('message', (message) => {
          receive(message).catch((error: unknown) => messageFailed(socket, error, executor))
        })
      },
    },
    { socket, request },
  )
  socket.once('close', (code, reason) => {
    closed(code, String(reason))?.then(undefined, (error: unknown) => executor.reportError(error))
  })
  // A frame that breaks the WebSocket protocol, or a connection that breaks: ws has already closed the socket
  // with the code for it. Without a listener the error would end the process.
  socket.on('error', () => {})
}

function messageFailed(socket: WebSocket, error: unknown, executor: SubscriptionExecutor): void {
  // The socket broke while an answer was on its way: there is nobody to tell, and nothing to repair.
  if (socket.readyState !== socket.OPEN) return
  // graphql-ws throws it for messages that only a server sends. That is the client's mistake, not ours.
  if (error instanceof Error && error.message.startsWith('Unexpected message of type')) {
    return socket.close(CloseCode.BadRequest, 'Invalid message received')
  }
  executor.reportError(error)
  socket.close(CloseCode.InternalServerError, INTERNAL_SERVER_ERROR)
}
