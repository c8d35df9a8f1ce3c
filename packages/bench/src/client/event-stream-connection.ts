import { Buffer } from 'node:buffer'
import type { Socket } from 'node:net'
import { ChunkReader } from './chunk-reader.ts'
import { type Address, type Connection, type ConnectionHandlers, openSocket } from './connection.ts'
import { EventReader } from './event-reader.ts'
import { ResponseHeadReader } from './response-head.ts'

/**
 * A subscription over SSE, in the distinct connections mode, whose response has begun.
 *
 * @see https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md
 */
export function openEventStream(
  { port, path }: Address,
  user: string,
  query: string,
  handlers: ConnectionHandlers,
): Promise<Connection> {
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
    const events = new EventReader({
      next: handlers.message,
      other: (event) => fail(new Error(`The server sent another event: ${event}`)),
    })
    const chunks = new ChunkReader(
      (data) => events.push(data),
      () => fail(new Error('The server ended the response.')),
    )
    const head = new ResponseHeadReader()
    let read = (data: Buffer): void => {
      const response = head.push(data)
      if (response === undefined) return
      const { status, headers } = response.head
      if (status !== 200) throw new Error(`The server answered ${status}.`)
      const body = headers.get('transfer-encoding') === 'chunked' ? chunks : events
      read = (more) => body.push(more)
      isOpen = true
      resolve({ close })
      if (response.rest.length > 0) body.push(response.rest)
    }
    const socket: Socket = openSocket(port, (data) => read(data), fail)
    socket.write(postRequest(path, user, JSON.stringify({ query })))
  })
}

function postRequest(path: string, user: string, body: string): string {
  return [
    `POST ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Accept: text/event-stream',
    `Authorization: Bearer ${user}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n')
}
