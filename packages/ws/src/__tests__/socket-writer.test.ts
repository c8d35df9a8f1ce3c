import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { nextMessagePrefix } from '@sluice/core'
import { countWrites } from '@sluice/testkit'
import { SocketWriter } from '../socket-writer.ts'
import { openSocket } from './open-socket.ts'

const MiB = 1_048_576

describe('the socket writer', () => {
  it.each([
    ['small', 450],
    ['at the limit of copying', 2048],
    ['large', 140_000],
  ])('sends prefix and shared bytes as one text message (%s)', async (_, size) => {
    await using open = await openSocket()
    const writer = new SocketWriter(open.socket, open.request.socket, MiB)
    const prefix = nextMessagePrefix('1')
    const shared = Buffer.from(`${JSON.stringify({ data: 'ü'.repeat(size) })}}`)

    writer.write(prefix, shared)

    expect(await open.messages(1)).toEqual([prefix.toString() + shared.toString()])
  })

  it.each(['a"quote', 'back\\slash', '日本語 🚰', '\ud800', 'line\nbreak', '__proto__'])(
    'sends the id %j as JSON',
    async (id) => {
      await using open = await openSocket()
      new SocketWriter(open.socket, open.request.socket, MiB).write(nextMessagePrefix(id), Buffer.from('{}}'))

      const [message] = await open.messages(1)

      expect(message).toBe(`{"id":${JSON.stringify(id)},"type":"next","payload":{}}`)
      expect(JSON.parse(message as string)).toEqual({ id, type: 'next', payload: {} })
    },
  )

  it('never changes the shared bytes', async () => {
    await using open = await openSocket({ perMessageDeflate: true })
    const writer = new SocketWriter(open.socket, open.request.socket, MiB)
    const shared = Buffer.from(`${JSON.stringify('x'.repeat(50_000))}}`)
    const before = Buffer.from(shared)

    writer.write(nextMessagePrefix('1'), shared)
    await open.messages(1)

    expect(shared.equals(before)).toBe(true)
  })

  it.each([false, { threshold: 0 }, { threshold: 0, serverNoContextTakeover: true }])(
    'keeps the order of messages, fragments and pings with permessage-deflate %j',
    async (perMessageDeflate) => {
      await using open = await openSocket({ perMessageDeflate })
      const writer = new SocketWriter(open.socket, open.request.socket, 8 * MiB)
      let pings = 0
      open.client.on('ping', () => {
        pings += 1
      })
      const expected: string[] = []
      for (let index = 0; index < 30; index += 1) {
        const prefix = nextMessagePrefix(String(index))
        const shared = Buffer.from(`${JSON.stringify(String(index).repeat(index % 3 === 0 ? 50_000 : 20))}}`)
        writer.write(prefix, shared)
        open.socket.ping()
        writer.writeText(`text ${index}`)
        expected.push(prefix.toString() + shared.toString(), `text ${index}`)
      }

      expect(await open.messages(60)).toEqual(expected)
      expect(pings).toBe(30)
    },
  )

  it('writes a burst within a tick with one system call', async () => {
    await using open = await openSocket()
    const writer = new SocketWriter(open.socket, open.request.socket, MiB)
    const writes = countWrites(open.request.socket)
    const shared = Buffer.from('{"data":1}}')

    for (let index = 0; index < 8; index += 1) writer.write(nextMessagePrefix('1'), shared)
    await open.messages(8)
    expect(writes.count).toBe(1)

    writer.write(nextMessagePrefix('1'), shared)
    await open.messages(9)
    expect(writes.count).toBe(2)
  })

  it('lets a message go at the end of the tick in which it was written', async () => {
    await using open = await openSocket()
    const writer = new SocketWriter(open.socket, open.request.socket, MiB)
    const writes = countWrites(open.request.socket)

    writer.write(nextMessagePrefix('1'), Buffer.from('{}}'))
    expect(writes.count).toBe(0)
    await new Promise<void>((resolve) => process.nextTick(resolve))

    expect(writes.count).toBe(1)
  })

  it('lets the kernel take what it can before it says that the socket is full', async () => {
    await using open = await openSocket()
    const writer = new SocketWriter(open.socket, open.request.socket, 1000)

    writer.write(nextMessagePrefix('1'), Buffer.alloc(1500, 'x'))
    expect(open.socket.bufferedAmount).toBeGreaterThan(1000)

    expect(writer.isFull()).toBe(false)
    expect(open.socket.bufferedAmount).toBe(0)
  })

  it.each([false, { threshold: 0 }])(
    'tells when a full socket is not full any more, permessage-deflate %j',
    async (perMessageDeflate) => {
      await using open = await openSocket({ perMessageDeflate })
      const writer = new SocketWriter(open.socket, open.request.socket, 1000)
      open.client.pause()
      // Compressed, it has to be larger than what the kernel takes.
      const noise = Buffer.from(crypto.getRandomValues(new Uint8Array(49_152))).toString('base64')
      const shared = Buffer.from(`${JSON.stringify(noise)}}`)
      let count = 0
      while (open.request.socket.writableLength < 1_000_000) {
        // Compression takes its time; do not run ahead of it.
        if (open.socket.bufferedAmount - open.request.socket.writableLength < shared.length) {
          writer.write(nextMessagePrefix('1'), shared)
          count += 1
        }
        await new Promise((resolve) => setImmediate(resolve))
      }
      expect(writer.isFull()).toBe(true)

      const notFull = writer.notFull()
      open.client.resume()
      await notFull

      expect(writer.isFull()).toBe(false)
      await open.messages(count)
    },
  )

  it('waits for the compression of what is not in the stream yet', async () => {
    await using open = await openSocket({ perMessageDeflate: { threshold: 0 } })
    const writer = new SocketWriter(open.socket, open.request.socket, 1000)

    writer.write(nextMessagePrefix('1'), Buffer.alloc(100_000, 'x'))
    expect(writer.isFull()).toBe(true)
    expect(open.request.socket.writableNeedDrain).toBe(false)
    await Promise.all([writer.notFull(), writer.notFull()])

    expect(writer.isFull()).toBe(false)
  })

  it('stops waiting when the socket is closed', async () => {
    await using open = await openSocket()
    const writer = new SocketWriter(open.socket, open.request.socket, 1000)
    open.client.pause()
    while (!writer.isFull()) writer.write(nextMessagePrefix('1'), Buffer.alloc(1_000_000, 'x'))

    const notFull = writer.notFull()
    open.socket.terminate()
    await Promise.all([notFull, once(open.socket, 'close')])
    writer.write(nextMessagePrefix('1'), Buffer.from('{}}'))
    writer.writeText('nobody hears it')

    expect(open.received).toEqual([])
  })
})
