import { Buffer } from 'node:buffer'
import { gzipSync } from 'node:zlib'
import { until } from '@sluice/testkit'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { headOf, openSocket, postOf } from './raw-socket.ts'
import { ask, openStream } from './raw-stream.ts'
import { openService, type Service } from './service.ts'

const query = '{ hello }'
const answer = 'event: next\ndata: {"data":{"hello":"world"}}\n\nevent: complete\ndata:\n\n'

function expectNothing({ executor, errors }: Service): void {
  const { connections, subscriptions } = executor.metrics()
  expect([connections, subscriptions.total, errors]).toEqual([{ active: 0, total: 0 }, 0, []])
}

function refusal(message: string): string {
  return JSON.stringify({ errors: [{ message, extensions: { code: 'BAD_REQUEST' } }] })
}

describe('a body', () => {
  it.each([
    'application/json',
    'APPLICATION/JSON',
    'application/json;charset=utf-8',
    'application/json; charset="UTF-8"',
    'application/json; charset=utf8; v=1',
    'application/graphql+json',
  ])('is taken as %s', async (type) => {
    const service = await openService()
    const stream = openStream({ url: service.url, headers: { 'content-type': type }, body: { query } })
    expect(await stream.ended).toContain(answer)
  })

  it.each([
    'text/plain',
    'application/graphql',
    'application/jsonp',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json; charset=utf-16',
    'application/json; charset=iso-8859-1',
    'application/json; charset=utf-8; charset=utf-7',
    'text/plain; application/json',
    undefined,
  ])('is refused with 415 as %s', async (type) => {
    const service = await openService({ endpoint: { csrfPrevention: false } })
    const headers = { 'content-type': type }
    expect(await ask({ url: service.url, headers, body: { query } })).toMatchObject({
      status: 415,
      text: refusal('The body has to be application/json in UTF-8.'),
    })
    expectNothing(service)
  })

  it.each(['gzip', 'br', 'deflate', 'zstd', 'gzip, identity', 'x'])('is refused with 415 in %s', async (encoding) => {
    const service = await openService()
    const socket = await openSocket(service.port)
    const body = gzipSync(JSON.stringify({ query }))
    socket.write(headOf([`content-length: ${body.length}`, `content-encoding: ${encoding}`, 'connection: close']))
    socket.socket.write(body)
    const text = await socket.closed
    expect(text).toMatch(/^HTTP\/1.1 415 /)
    expect(text).toContain(refusal('The body has to be sent without a content-encoding.'))
    expectNothing(service)
  })

  it('is taken in the encoding that is none', async () => {
    const service = await openService()
    const stream = openStream({ url: service.url, headers: { 'content-encoding': 'Identity' }, body: { query } })
    expect(await stream.ended).toContain(answer)
  })

  it('is put together from its parts, wherever they were cut', async () => {
    const service = await openService()
    const socket = await openSocket(service.port)
    socket.write(headOf(['transfer-encoding: chunked', 'connection: close']))
    for (const byte of Buffer.from(JSON.stringify({ query: '{ hello # ü🚢\n}' })))
      socket.socket.write(Buffer.concat([Buffer.from('1\r\n'), Buffer.from([byte]), Buffer.from('\r\n')]))
    socket.write('0\r\n\r\n')
    expect(await socket.closed).toContain('{"data":{"hello":"world"}}')
  })
})

describe('a body that is too large', () => {
  const message = refusal('The body has more than 100 bytes.')

  it('is refused with 413 before it came, if it says so', async () => {
    const service = await openService({ endpoint: { maxBodyBytes: 100 } })
    const socket = await openSocket(service.port)
    socket.write(headOf(['content-length: 101']))
    const text = await socket.closed
    expect(text).toMatch(/^HTTP\/1.1 413 Payload Too Large\r\n/)
    expect(text).toContain('connection: close\r\n')
    expect(text.endsWith(message)).toBe(true)
    expectNothing(service)
  })

  it('is refused with 413 as soon as it is, if it does not say so', async () => {
    const service = await openService({ endpoint: { maxBodyBytes: 100 } })
    const socket = await openSocket(service.port)
    socket.write(headOf(['transfer-encoding: chunked']))
    socket.write(`64\r\n${' '.repeat(100)}\r\n`)
    await until(() => service.exchanges[0]?.request.readableDidRead === true, 'the first part was read')
    expect(socket.text).toBe('')
    socket.write('1\r\n \r\n')
    const text = await socket.closed
    expect(text).toMatch(/^HTTP\/1.1 413 /)
    expect(text.endsWith(message)).toBe(true)
    expectNothing(service)
  })

  it('is not one of exactly as many bytes as it may have', async () => {
    const service = await openService({ endpoint: { maxBodyBytes: 100 } })
    const body = JSON.stringify({ query }).padEnd(100)
    expect(await openStream({ url: service.url, body }).ended).toContain(answer)
  })

  it('is measured in bytes', async () => {
    const service = await openService({ endpoint: { maxBodyBytes: 100 } })
    const body = JSON.stringify({ query: '{ hello } # 🚢🚢🚢🚢🚢🚢🚢🚢🚢🚢🚢🚢🚢🚢🚢🚢🚢🚢🚢🚢' })
    expect(body.length).toBeLessThan(100)
    expect((await ask({ url: service.url, body })).status).toBe(413)
  })
})

describe('a body that does not arrive', () => {
  it('because its client left starts nothing and reports nothing', async () => {
    const service = await openService()
    const socket = await openSocket(service.port)
    socket.write(`${headOf(['content-length: 100'])}{"query":`)
    await until(() => service.exchanges[0]?.request.readableDidRead === true, 'its beginning was read')
    socket.socket.destroy()
    await until(() => service.exchanges[0]?.response.closed === true, 'the server knows it')
    await until(() => service.exchanges[0]?.response.writableEnded === true, 'it was given up')
    expectNothing(service)
  })

  it('because its client closed its half of the connection neither', async () => {
    const service = await openService()
    const socket = await openSocket(service.port)
    socket.write(`${headOf(['content-length: 100'])}{"query":`)
    socket.socket.end()
    await socket.closed
    expectNothing(service)
  })

  it('is waited for half a minute, and then refused with 408', async () => {
    const service = await openService()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const sockets = await Promise.all([1, 2].map(() => openSocket(service.port)))
    for (const { write } of sockets) write(`${headOf(['content-length: 100'])}{"query":`)
    await until(() => vi.getTimerCount() === 2, 'two bodies are waited for')

    vi.advanceTimersByTime(29_999)
    expect(vi.getTimerCount()).toBe(2)
    vi.advanceTimersByTime(1)
    for (const { closed } of sockets) {
      const text = await closed
      expect(text).toMatch(/^HTTP\/1.1 408 /)
      expect(text).toContain('connection: close\r\n')
      expect(text.endsWith(refusal('The body did not arrive in 30000 ms.'))).toBe(true)
    }
    expect(vi.getTimerCount()).toBe(0)
    expectNothing(service)
  })

  it('is waited for no longer than it takes', async () => {
    const service = await openService()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const socket = await openSocket(service.port)
    const request = postOf({ query })
    socket.write(request.slice(0, -5))
    await until(() => vi.getTimerCount() === 1, 'the body is waited for')
    vi.advanceTimersByTime(29_999)
    socket.write(request.slice(-5))
    await socket.has('event: complete')
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('a body that a framework has read', () => {
  /** The body is read to its end, and `request.body` is what the framework makes of it. */
  const withBody = (bodyOf: (text: string) => unknown): Promise<Service> =>
    openService({
      serve(request, response, { handler }) {
        let text = ''
        request.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk
        })
        request.once('end', () => handler(Object.assign(request, { body: bodyOf(text) }), response))
      },
    })

  it.each<[string, (text: string) => unknown]>([
    ['and parsed', (text) => JSON.parse(text)],
    ['as text', (text) => text],
    ['as a Buffer', (text) => Buffer.from(text)],
    ['as bytes in the middle of others', (text) => new Uint8Array(Buffer.from(`[${text}]`)).subarray(1, -1)],
    ['into an object without a prototype', (text) => Object.assign(Object.create(null), JSON.parse(text))],
  ])('%s is taken from it', async (_, bodyOf) => {
    const service = await withBody(bodyOf)
    expect(await openStream({ url: service.url, body: { query: '{ hello } # ü' } }).ended).toContain(answer)
  })

  it.each<[string, unknown, string]>([
    ['into a batch', [{ query }], 'A subscription cannot be part of a batch. Send it on its own.'],
    ['into nothing but null', null, 'The body has to be a JSON object.'],
    ['into a number', 1, 'The body has to be a JSON object.'],
    ['into an empty object', {}, '"query" has to be a string.'],
    ['into what has no query', { variables: {} }, '"query" has to be a string.'],
    ['as text that is no JSON', 'query={hello}', 'The body is not JSON.'],
    ['as empty text', '', 'The body is not JSON.'],
    ['as bytes that are no JSON', Buffer.from([1, 2, 3]), 'The body is not JSON.'],
    ['and kept', undefined, 'The body was read by another handler, which left nothing of it in "request.body".'],
  ])('%s is refused with 400 and what is wrong', async (_, body, message) => {
    const service = await withBody(() => body)
    expect(await ask({ url: service.url, body: { query } })).toMatchObject({ status: 400, text: refusal(message) })
    expectNothing(service)
  })

  it('and that was empty is refused in the same words', async () => {
    const service = await withBody(() => undefined)
    expect((await ask({ url: service.url, body: '' })).text).toContain('read by another handler')
  })

  it('is not the empty object that Express 4 leaves where it read nothing', async () => {
    const service = await openService({
      serve: (request, response, { handler }) => handler(Object.assign(request, { body: {} }), response),
    })
    expect(await openStream({ url: service.url, body: { query } }).ended).toContain(answer)
  })

  it('is refused with 400 if it was read as text of some kind before', async () => {
    const service = await openService({
      serve(request, response, { handler }) {
        request.setEncoding('latin1')
        handler(request, response)
      },
    })
    expect(await ask({ url: service.url, body: { query } })).toMatchObject({
      status: 400,
      text: refusal('The body could not be read.'),
    })
    expectNothing(service)
  })
})
