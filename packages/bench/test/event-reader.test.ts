import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { buffer } from 'node:stream/consumers'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ChunkReader } from '../src/client/chunk-reader.ts'
import { EventReader } from '../src/client/event-reader.ts'
import { type ResponseHead, ResponseHeadReader } from '../src/client/response-head.ts'
import { pieceLengths, pushInPieces } from './cut.ts'

const written = fc.oneof(
  fc.record({ data: fc.json({ maxDepth: 2 }).map((text) => `{"data":${text}}`) }),
  fc.constant({ comment: '' }),
  fc.constant({ other: 'complete' }),
)

describe('an event stream', () => {
  let events: readonly string[] = []
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const event of events) response.write(event)
    response.end()
  })

  beforeAll(async () => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  afterAll(() => server.close())

  it('is read as Node writes it, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(written, { maxLength: 20 }), pieceLengths, async (messages, lengths) => {
        events = messages.map((message) => {
          if ('data' in message) return `event: next\ndata: ${message.data}\n\n`
          return 'other' in message ? `event: ${message.other}\ndata:\n\n` : ':\n\n'
        })
        const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
        socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
        const bytes = await buffer(socket)

        const read: unknown[] = []
        let head: ResponseHead | undefined
        const eventReader = new EventReader({
          next: (data) => read.push({ data: data.toString() }),
          other: (event) => read.push({ other: event.split(':')[0] }),
        })
        const chunks = new ChunkReader(
          (data) => eventReader.push(data),
          () => read.push('end'),
        )
        const headReader = new ResponseHeadReader()
        pushInPieces(bytes, lengths, (piece) => {
          if (head !== undefined) return chunks.push(piece)
          const found = headReader.push(piece)
          head = found?.head
          if (found !== undefined) chunks.push(found.rest)
        })
        expect(head?.status).toBe(200)
        expect(head?.headers.get('content-type')).toBe('text/event-stream')
        expect(read).toEqual([...messages.filter((message) => !('comment' in message)), 'end'])
      }),
      { numRuns: 60 },
    )
  })

  it('is refused if it is not chunked, or no HTTP', () => {
    const chunks = new ChunkReader(
      () => {},
      () => {},
    )
    expect(() => chunks.push(Buffer.from('not a size\r\n'))).toThrow('no size of a chunk')
    expect(() => new ResponseHeadReader().push(Buffer.from('SSH-2.0\r\n\r\n'))).toThrow('no HTTP response')
  })
})
