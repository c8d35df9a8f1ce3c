import type { Socket } from 'node:net'

const listenersBySocket = new WeakMap<Socket, Set<() => void>>()

/**
 * Calls the function when the socket closes, until the returned function is called. With one listener per socket:
 * many requests may wait on one, and Node warns of more than ten.
 */
export function onSocketClose(socket: Socket, closed: () => void): () => void {
  let listeners = listenersBySocket.get(socket)
  if (listeners === undefined) {
    const added = new Set<() => void>()
    socket.once('close', () => {
      for (const each of added) each()
    })
    listenersBySocket.set(socket, added)
    listeners = added
  }
  listeners.add(closed)
  return () => void listeners.delete(closed)
}
