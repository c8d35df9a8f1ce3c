import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { WebSocket } from 'ws'
import { describe, expect, it } from 'vitest'
import { nextMessagePrefix } from '@sluice/core'
import { SocketWriter } from '../socket-writer.ts'
import { headerLengthOf, writeHeader } from '../text-frame.ts'
import { openSocket } from './open-socket.ts'

const MiB = 1_048_576
const prefix = nextMessagePrefix('1')

/** What follows the prefix, so that the whole message has so many bytes. */
const sharedFor = (size: number): Buffer => Buffer.alloc(size - prefix.length, 'x')

/** Collects the bytes that reach the client, frames and all. */
function rawBytes(client: WebSocket): () => Buffer {
  const chunks: Buffer[] = []
  const socket = Reflect.get(client, '_socket') as Socket
  socket.prependListener('data', (chunk: Buffer) => void chunks.push(Buffer.from(chunk)))
  return () => Buffer.concat(chunks)
}

const sizes = [prefix.length, 125, 126, 127, 2047, 2048, 2049, 65_535, 65_536, 65_537, 200_000]

describe('a frame', () => {
  it.each(sizes)('of %i bytes is read by a client, and is the one that ws writes', async (size) => {
    const written: Buffer[] = []
    for (const isWs of [false, true]) {
      await using open = await openSocket()
      const raw = rawBytes(open.client)
      const shared = sharedFor(size)
      if (isWs) open.socket.send(Buffer.concat([prefix, shared]), { binary: false })
      else new SocketWriter(open.socket, open.request.socket, MiB).write(prefix, shared)
      expect(await open.messages(1)).toEqual([prefix.toString() + shared.toString()])
      written.push(raw())
    }
    expect(written[0]?.equals(written[1] as Buffer)).toBe(true)
    expect(written[0]?.length).toBe(headerLengthOf(size) + size)
  })

  it('says lengths that no message has reached yet', () => {
    for (const size of [2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER]) {
      const frame = Buffer.alloc(12, 0xff)
      if (size > 2 ** 48 - 1) expect(() => writeHeader(frame, size)).toThrow(RangeError)
      else {
        writeHeader(frame, size)
        expect([frame[0], frame[1], frame.readBigUInt64BE(2), frame[10]]).toEqual([0x81, 127, BigInt(size), 0xff])
      }
    }
  })
})

describe('frames past ws', () => {
  it('come in their places among pings, and what the application sends itself', async () => {
    await using open = await openSocket()
    const writer = new SocketWriter(open.socket, open.request.socket, 64 * MiB)
    const seen: string[] = []
    open.client.on('ping', (data) => seen.push(`ping ${String(data)}`))
    open.client.on('pong', (data) => seen.push(`pong ${String(data)}`))
    open.client.on('message', (data) => seen.push(`${String(data).length}`))
    const expected: string[] = []
    for (const [index, size] of sizes.entries()) {
      writer.write(prefix, sharedFor(size))
      open.socket.ping(String(index))
      open.socket.send('a'.repeat(index + 1))
      open.socket.pong(String(index))
      open.socket.send('half ', { fin: false })
      open.socket.send('of it', { fin: true })
      expected.push(`${size}`, `ping ${index}`, `${index + 1}`, `pong ${index}`, '10')
    }
    await open.messages(3 * sizes.length)
    expect(seen).toEqual(expected)
  })

  it('do not follow a close frame', async () => {
    await using open = await openSocket()
    const writer = new SocketWriter(open.socket, open.request.socket, MiB)
    const raw = rawBytes(open.client)
    const closed = once(open.client, 'close')
    writer.write(prefix, sharedFor(3000))
    open.socket.close(4400, 'enough')
    writer.write(prefix, sharedFor(3000))
    writer.writeText('late')
    const [code, reason] = await closed
    expect([code, String(reason), open.received.length]).toEqual([4400, 'enough', 1])
    expect(raw().length).toBe(4 + 3000 + 4 + 'enough'.length)
  })

  it('do not follow the close frame of the client', async () => {
    await using open = await openSocket()
    const writer = new SocketWriter(open.socket, open.request.socket, MiB)
    const closed = once(open.socket, 'close')
    const failed: unknown[] = []
    open.socket.on('error', (error) => failed.push(error))
    open.client.close(1000)
    while (open.socket.readyState === WebSocket.OPEN) {
      writer.write(prefix, sharedFor(200))
      await new Promise((resolve) => setImmediate(resolve))
    }
    writer.write(prefix, sharedFor(200))
    expect((await closed)[0]).toBe(1000)
    expect(failed).toEqual([])
  })

  it('are counted as what waits, like those of ws', async () => {
    await using open = await openSocket()
    const writer = new SocketWriter(open.socket, open.request.socket, MiB)
    for (const size of sizes) {
      const before = open.socket.bufferedAmount
      writer.write(prefix, sharedFor(size))
      expect(open.socket.bufferedAmount - before).toBe(headerLengthOf(size) + size)
    }
    await open.messages(sizes.length)
    expect(open.socket.bufferedAmount).toBe(0)
  })

  it('are not written round who has put himself in the way of send, whenever he did', async () => {
    await using open = await openSocket()
    const writer = new SocketWriter(open.socket, open.request.socket, MiB)
    const sent: number[] = []
    const send = open.socket.send.bind(open.socket)
    writer.write(prefix, sharedFor(100))
    open.socket.send = ((data: Buffer, options: object) => {
      sent.push(data.length)
      send(data, options)
    }) as typeof open.socket.send
    writer.write(prefix, sharedFor(200))
    await open.messages(2)
    expect(sent).toEqual([200])
  })
})
