import { withTimeLimit } from '@sluice/core'
import type { WebSocket } from 'ws'
import type { Connection } from './connection.ts'

/**
 * Takes leave of clients: ends what streams with `complete`, lets single results that are under way arrive,
 * then closes the sockets with 1001. Each of the two steps takes at most `timeoutMs`; after that, what is left
 * is completed without its result, and terminated.
 *
 * Resolves when every socket is closed.
 */
export async function closeGracefully(connections: readonly Connection[], timeoutMs: number): Promise<void> {
  await withTimeLimit(Promise.all(connections.map((connection) => connection.drain())), timeoutMs, giveUp)
  const closed = Promise.all(connections.map(({ socket }) => closing(socket)))
  for (const connection of connections) {
    connection.finish()
    connection.socket.close(1001, 'Going away')
  }
  await withTimeLimit(closed, timeoutMs, giveUp)
  for (const { socket } of connections) socket.terminate()
  await closed
}

const giveUp = (): void[] => []

function closing(socket: WebSocket): Promise<void> {
  if (socket.readyState === socket.CLOSED) return Promise.resolve()
  return new Promise((resolve) => {
    socket.once('close', () => resolve())
  })
}
