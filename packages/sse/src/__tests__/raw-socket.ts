import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { until } from '@sluice/testkit'
import { onTestFinished } from 'vitest'

/** A connection on which a test writes what it likes. */
export interface RawSocket {
  readonly socket: Socket
  /** What came so far. */
  readonly text: string
  write(text: string): void
  /** Resolves when this has come. */
  has(text: string): Promise<void>
  /** Resolves, with everything that came, when the server has closed the connection. */
  readonly closed: Promise<string>
}

export async function openSocket(port: number): Promise<RawSocket> {
  const socket = connect(port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  let text = ''
  socket.on('data', (chunk) => {
    text += String(chunk)
  })
  // A server that closes a connection on which something still comes resets it.
  socket.on('error', () => {})
  const closed = once(socket, 'close').then(() => text)
  await once(socket, 'connect')
  return {
    socket,
    get text() {
      return text
    },
    closed,
    write: (sent) => void socket.write(sent),
    has: (expected) =>
      until(
        () => text.includes(expected),
        () => `${JSON.stringify(expected)} has come: ${JSON.stringify(text)}`,
      ),
  }
}

/** The head of a POST, with what else it is to have; ends after its last line. */
export function headOf(lines: readonly string[], version = '1.1'): string {
  const fixed = ['host: localhost', 'content-type: application/json', 'accept: text/event-stream']
  return [`POST /graphql/stream HTTP/${version}`, ...fixed, ...lines, '', ''].join('\r\n')
}

/** A whole POST. */
export function postOf(body: unknown): string {
  const text = JSON.stringify(body)
  return headOf([`content-length: ${Buffer.byteLength(text)}`]) + text
}
