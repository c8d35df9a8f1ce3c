import { Buffer } from 'node:buffer'
import { connect, type Socket } from 'node:net'

/** One client of a server, with one subscription. */
export interface Connection {
  close(): void
}

/** What a connection tells of. */
export interface ConnectionHandlers {
  /** A result arrived: the whole message, or event data, in a buffer that is valid during the call only. */
  message(message: Buffer): void
  /** The connection, or what came over it, is not as it has to be. It is closed. */
  failed(error: Error): void
}

/** Where a server listens. */
export interface Address {
  readonly port: number
  readonly path: string
}

/** What all sockets read into, one after the other: what is read is dealt with before anything else is read. */
const shared = Buffer.allocUnsafeSlow(262_144)

/** A TCP connection that reads without allocating. `read` is called with what arrived; its errors go to `failed`. */
export function openSocket(port: number, read: (data: Buffer) => void, failed: (error: Error) => void): Socket {
  const socket = connect({
    host: '127.0.0.1',
    port,
    noDelay: true,
    onread: {
      buffer: shared,
      callback(length) {
        try {
          read(shared.subarray(0, length))
        } catch (error) {
          failed(error instanceof Error ? error : new Error(String(error)))
        }
        return true
      },
    },
  })
  socket.on('error', failed)
  socket.on('close', () => failed(new Error('The server closed the connection.')))
  return socket
}
