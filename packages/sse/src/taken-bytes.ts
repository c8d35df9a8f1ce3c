import type { Socket } from 'node:net'

/** As much as is used of Node's handle of a connection. TLS wraps another one. */
interface Handle {
  readonly bytesWritten?: unknown
  readonly writeQueueSize?: unknown
  readonly _parent?: Handle | null
}

/**
 * How many bytes of a connection the kernel has taken so far. What is public counts whole writes only, and one write may
 * be everything that waits: a client that reads a large result slowly would look like one that reads nothing. So Node's
 * handle is asked, by which Node's own timeouts go, where there is one.
 *
 * Over HTTP/2 it is the connection of all streams of the session.
 */
export function takenBytes(socket: Socket): number {
  let handle = (socket as { readonly _handle?: Handle | null })._handle
  while (handle?._parent != null) handle = handle._parent
  const { bytesWritten, writeQueueSize } = handle ?? {}
  if (typeof bytesWritten === 'number' && typeof writeQueueSize === 'number') return bytesWritten - writeQueueSize
  return socket.bytesWritten - socket.writableLength
}
