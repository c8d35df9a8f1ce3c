import type { Buffer } from 'node:buffer'
import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { type Address, type Connection, type ConnectionHandlers, openSocket } from './connection.ts'
import { FrameReader } from './frame-reader.ts'
import { pongFrame, textFrame } from './masked-frame.ts'
import { ResponseHeadReader } from './response-head.ts'

export interface WebSocketConnection extends Connection {
  send(frame: Buffer): void
}

/**
 * A client of graphql-transport-ws that has been acknowledged.
 *
 * @see https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
 */
export function openWebSocket(
  { port, path }: Address,
  user: string,
  handlers: ConnectionHandlers,
): Promise<WebSocketConnection> {
  return new Promise((resolve, reject) => {
    let isOpen = false
    let isClosed = false
    const close = (): void => {
      isClosed = true
      socket.destroy()
    }
    const fail = (error: Error): void => {
      if (isClosed) return
      close()
      if (isOpen) handlers.failed(error)
      else reject(error)
    }
    const connection: WebSocketConnection = { close, send: (frame) => void socket.write(frame) }
    const frames = new FrameReader({
      text(message) {
        if (isOpen) return handlers.message(message)
        const { type } = JSON.parse(message.toString()) as { type?: unknown }
        if (type !== 'connection_ack') throw new Error(`Instead of an acknowledgement came ${message.toString()}`)
        isOpen = true
        resolve(connection)
      },
      binary: () => fail(new Error('The server sent a binary message.')),
      ping: (data) => void socket.write(pongFrame(data)),
      close: (code, reason) => fail(new Error(`The server closed the socket: ${code} ${reason}`)),
    })
    const head = new ResponseHeadReader()
    let read = (data: Buffer): void => {
      const response = head.push(data)
      if (response === undefined) return
      if (response.head.status !== 101) throw new Error(`The server answered ${response.head.status} to the upgrade.`)
      read = (more) => frames.push(more)
      socket.write(textFrame(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${user}` } })))
      if (response.rest.length > 0) frames.push(response.rest)
    }
    const socket: Socket = openSocket(port, (data) => read(data), fail)
    socket.write(upgradeRequest(path))
  })
}

function upgradeRequest(path: string): string {
  return [
    `GET ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Connection: Upgrade',
    'Upgrade: websocket',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Protocol: graphql-transport-ws',
    '\r\n',
  ].join('\r\n')
}
