import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** A TCP proxy before a server, which keeps whatever the server sent through it. */
export interface RecordingProxy {
  /** `127.0.0.1:port` */
  readonly address: string
  /** Every byte that clients received so far, of headers, bodies and frames, as Latin-1. */
  received(): string
}

/**
 * A client cannot be asked for what its library does not tell, such as a header or the reason of a close frame. Make it
 * before the clients: it is closed after them, when the test is over.
 */
export async function recordingProxy(address: string): Promise<RecordingProxy> {
  const [host, port] = address.split(':')
  const chunks: Buffer[] = []
  const sockets = new Set<Socket>()
  const proxy = createServer((client) => {
    const server = connect(Number(port), host)
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(socket)
      socket.pipe(other)
      socket.on('error', () => {}) // `close` follows
      socket.once('close', (hadError) => {
        sockets.delete(socket)
        // What is on its way to the other is still to arrive.
        if (hadError) other.destroy()
        else other.end()
      })
    }
    server.on('data', (chunk: Buffer) => chunks.push(chunk))
  })
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    proxy.close()
    await once(proxy, 'close')
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  return {
    address: `127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    received: () => Buffer.concat(chunks).toString('latin1'),
  }
}
