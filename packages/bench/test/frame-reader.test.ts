import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { buffer } from 'node:stream/consumers'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import { FrameReader } from '../src/client/frame-reader.ts'
import { pongFrame, textFrame } from '../src/client/masked-frame.ts'
import { pieceLengths, pushInPieces } from './cut.ts'

/** A message, in the fragments in which it is sent, and whether a ping comes before its last one. */
interface Sent {
  readonly isBinary: boolean
  readonly fragments: readonly string[]
  readonly hasPing: boolean
}

const sent: fc.Arbitrary<Sent> = fc.record({
  isBinary: fc.boolean(),
  fragments: fc.array(
    fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 200 }),
      fc.integer({ min: 0, max: 70_000 }).map((length) => 'x'.repeat(length)),
    ),
    { minLength: 1, maxLength: 3 },
  ),
  hasPing: fc.boolean(),
})

describe('the frame reader', () => {
  let server: WebSocketServer

  beforeAll(async () => {
    server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })
    await once(server, 'listening')
  })
  afterAll(() => server.close())

  const open = async () => {
    const { port } = server.address() as AddressInfo
    const socket = connect(port, '127.0.0.1')
    const accepted = once(server, 'connection') as Promise<[WebSocket]>
    socket.write(
      'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
        `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\n\r\n`,
    )
    const [webSocket] = await accepted
    return { socket, webSocket }
  }

  /** Every byte that ws writes for these messages, up to the frame that closes. */
  const writtenFor = async (messages: readonly Sent[]): Promise<Buffer> => {
    const { socket, webSocket } = await open()
    for (const { isBinary, fragments, hasPing } of messages) {
      for (const [index, fragment] of fragments.entries()) {
        const isLast = index === fragments.length - 1
        if (isLast && hasPing) webSocket.ping('are you there?')
        webSocket.send(Buffer.from(fragment), { binary: isBinary, fin: isLast })
      }
    }
    webSocket.close(4001, 'enough')
    setImmediate(() => webSocket.terminate()) // nobody answers the close frame
    socket.on('error', () => {})
    const bytes = await buffer(socket)
    return bytes.subarray(bytes.indexOf('\r\n\r\n') + 4)
  }

  it('reads what ws writes, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(sent, { maxLength: 6 }), pieceLengths, async (messages, lengths) => {
        const read: unknown[] = []
        const reader = new FrameReader({
          text: (message) => read.push(message.toString()),
          binary: (message) => read.push([message.toString()]),
          ping: (data) => read.push({ ping: data.toString() }),
          close: (code, reason) => read.push({ code, reason }),
        })
        pushInPieces(await writtenFor(messages), lengths, (piece) => reader.push(piece))
        expect(read).toEqual([
          ...messages.flatMap(({ isBinary, fragments, hasPing }) => [
            ...(hasPing ? [{ ping: 'are you there?' }] : []),
            isBinary ? [fragments.join('')] : fragments.join(''),
          ]),
          { code: 4001, reason: 'enough' },
        ])
      }),
      { numRuns: 60 },
    )
  })

  it('does not copy a message that arrives in one piece', () => {
    const frame = Buffer.concat([Buffer.from([0x81, 2]), Buffer.from('hi')])
    let message: Buffer | undefined
    new FrameReader({ ...ignore, text: (text) => (message = text) }).push(frame)
    expect(message?.buffer).toBe(frame.buffer)
    expect(message?.byteOffset).toBe(frame.byteOffset + 2)
  })

  it.each([
    ['a reserved bit', [0xc1, 0], 'extension'],
    ['a mask', [0x81, 0x80, 0, 0, 0, 0], 'masked'],
    ['an unknown opcode', [0x83, 0], 'unknown opcode 3'],
    ['a continuation of nothing', [0x80, 0], 'belongs to no message'],
    ['a message within a message', [0x01, 0, 0x81, 0], 'within another'],
  ])('refuses %s', (_what, bytes, message) => {
    expect(() => new FrameReader(ignore).push(Buffer.from(bytes))).toThrow(message)
  })

  it('is answered by frames that ws reads', async () => {
    const { socket, webSocket } = await open()
    const long = 'ä'.repeat(20_000)
    const pong = once(webSocket, 'pong') as Promise<[Buffer]>
    const texts = new Promise<string[]>((resolve) => {
      const read: string[] = []
      webSocket.on('message', (text) => {
        if (read.push((text as Buffer).toString()) === 2) resolve(read)
      })
    })
    for (const frame of [textFrame('short'), textFrame(long), pongFrame(Buffer.from('yes'))]) socket.write(frame)
    expect(await texts).toEqual(['short', long])
    expect((await pong)[0].toString()).toBe('yes')
    socket.destroy()
    expect(() => textFrame('x'.repeat(65_536))).toThrow(RangeError)
  })
})

const ignore = { text: () => {}, binary: () => {}, ping: () => {}, close: () => {} }
