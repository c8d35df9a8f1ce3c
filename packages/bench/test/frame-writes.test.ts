import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { nextMessagePrefix } from '@sluice/core'
import { expect, it, onTestFinished } from 'vitest'
import { joinFrames, splitFrames } from '../src/servers/frame-writes.ts'

const prefix = nextMessagePrefix('1')
const http = 'HTTP/1.1 101 Switching Protocols\r\n\r\n'

/** Both ends of a connection, and how long each buffer is that one of them is given to write. */
async function open() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [socket] = (await once(server, 'connection')) as [Socket]
  onTestFinished(() => {
    for (const end of [client, socket]) end.destroy()
    server.close()
  })
  const lengths: number[] = []
  const write = socket.write.bind(socket)
  socket.write = (bytes: Uint8Array | string) => {
    lengths.push(bytes.length)
    return write(bytes)
  }
  const read = async (): Promise<Buffer> => {
    socket.end()
    const chunks: Buffer[] = []
    for await (const chunk of client) chunks.push(chunk as Buffer)
    return Buffer.concat(chunks)
  }
  return { socket, lengths, read }
}

function frameOf(payload: Buffer): Buffer {
  const { length } = payload
  return Buffer.concat([Buffer.from(length < 126 ? [0x81, length] : [0x81, 126, length >> 8, length & 255]), payload])
}

it.each([100, 450, 60_000])('a frame of two buffers with %i bytes of payload becomes one', async (length) => {
  const { socket, lengths, read } = await open()
  joinFrames(socket)
  const frame = frameOf(Buffer.alloc(length, 'x'))
  socket.write(http)
  for (const headLength of [2, 4, 20]) {
    socket.write(frame.subarray(0, headLength))
    socket.write(headLength === 4 ? frame.subarray(4).toString() : frame.subarray(headLength))
  }
  socket.write(frame)
  expect(await read()).toEqual(Buffer.concat([Buffer.from(http), frame, frame, frame, frame]))
  expect(lengths).toEqual([http.length, frame.length, frame.length, frame.length, frame.length])
})

it('a frame of one buffer becomes two, behind the prefix', async () => {
  const { socket, lengths, read } = await open()
  splitFrames(socket)
  const frame = frameOf(Buffer.concat([prefix, Buffer.alloc(450, 'x')]))
  const small = frameOf(Buffer.from('{}'))
  for (const bytes of [http, frame, small]) socket.write(bytes)
  expect(await read()).toEqual(Buffer.concat([Buffer.from(http), frame, small]))
  expect(lengths).toEqual([http.length, 4 + prefix.length, 450, small.length])
})
