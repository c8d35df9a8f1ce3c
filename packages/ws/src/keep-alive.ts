import type { WebSocket } from 'ws'

/**
 * Pings every socket in an interval and terminates those that did not answer the ping before. One timer for
 * all of them.
 *
 * @returns what stops it
 */
export function keepAlive(sockets: ReadonlySet<WebSocket>, intervalMs: number): () => void {
  if (!(intervalMs > 0) || !Number.isFinite(intervalMs)) return () => {}
  const unanswered = new WeakSet<WebSocket>()
  const timer = setInterval(() => {
    for (const socket of sockets) {
      if (socket.readyState !== socket.OPEN) continue
      if (unanswered.has(socket)) {
        socket.terminate()
        continue
      }
      unanswered.add(socket)
      socket.once('pong', () => unanswered.delete(socket))
      socket.ping()
    }
  }, intervalMs)
  timer.unref()
  return () => clearInterval(timer)
}
