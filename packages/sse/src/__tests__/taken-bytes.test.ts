import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import { until } from '@sluice/testkit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { takenBytes } from '../taken-bytes.ts'

// A key that both know, instead of a certificate.
const psk = Buffer.from('0123456789abcdef')
const tls = { ciphers: 'PSK', maxVersion: 'TLSv1.2' } as const

interface Transport {
  readonly server: () => Server
  readonly accepted: string
  readonly client: (port: number) => Socket
}

const transports: Readonly<Record<string, Transport>> = {
  TCP: { server: () => createServer(), accepted: 'connection', client: (port) => connect(port, '127.0.0.1') },
  TLS: {
    server: () => createTlsServer({ ...tls, pskCallback: () => psk }),
    accepted: 'secureConnection',
    client: (port) =>
      connectTls({
        ...tls,
        port,
        host: '127.0.0.1',
        pskCallback: () => ({ psk, identity: 'test' }),
        checkServerIdentity: () => undefined,
      }),
  },
}

/** Both ends of a connection, of which the client reads nothing. */
async function openPair({ server, accepted, client }: Transport): Promise<{ socket: Socket; reader: Socket }> {
  const listening = server()
  listening.listen(0, '127.0.0.1')
  await once(listening, 'listening')
  const connected = once(listening, accepted)
  const reader = client((listening.address() as AddressInfo).port)
  const [socket] = (await connected) as [Socket]
  socket.on('error', () => {})
  reader.on('error', () => {}).pause()
  onTestFinished(() => {
    reader.destroy()
    socket.destroy()
    listening.close()
  })
  return { socket, reader }
}

describe.each(Object.entries(transports))('the bytes that the kernel has taken over %s', (_, transport) => {
  it('grow within one write, of which Node counts nothing until all of it is taken', async () => {
    const { socket, reader } = await openPair(transport)
    const size = 30_000_000
    let isWritten = false
    socket.write(Buffer.alloc(size), () => {
      isWritten = true
    })
    reader.on('data', () => {})
    let steps = 0
    for (let before = -1; takenBytes(socket) < size; before = takenBytes(socket)) {
      reader.resume()
      await until(() => takenBytes(socket) > before, 'more was taken')
      reader.pause()
      if (!isWritten) expect(socket.writableLength).toBe(size)
      steps += 1
    }
    expect(steps).toBeGreaterThan(2)
    reader.resume()
    await until(() => isWritten, 'all was taken')
    expect(takenBytes(socket)).toBeGreaterThanOrEqual(size)
  })

  it('stand still while the client reads nothing', async () => {
    const { socket } = await openPair(transport)
    socket.write(Buffer.alloc(30_000_000))
    for (let before = -1; takenBytes(socket) > before; ) {
      before = takenBytes(socket)
      for (let turn = 0; turn < 500; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    }
    expect(takenBytes(socket)).toBeGreaterThan(0)
    expect(takenBytes(socket)).toBeLessThan(30_000_000)
  })

  it('are a number also when the connection is gone', async () => {
    const { socket } = await openPair(transport)
    socket.write('x')
    socket.destroy()
    expect(takenBytes(socket)).toBeGreaterThanOrEqual(0)
  })
})

it('the bytes that were taken are counted in whole writes where there is no handle to ask', () => {
  expect(takenBytes({ bytesWritten: 10, writableLength: 3 } as Socket)).toBe(7)
  expect(takenBytes({ bytesWritten: 10, writableLength: 3, _handle: null } as unknown as Socket)).toBe(7)
  expect(takenBytes({ bytesWritten: 10, writableLength: 3, _handle: {} } as unknown as Socket)).toBe(7)
})
