import { once } from 'node:events'
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  createServer,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type IncomingHttpHeaders,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import { until } from '@sluice/testkit'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { createSseEndpoint } from '../sse-endpoint.ts'
import { createGate } from './gate.ts'
import { eventsIn } from './raw-stream.ts'
import { openService, type Service } from './service.ts'

const news = 'subscription { news(topic: "a") { text } }'

interface Http2Client {
  readonly stream: ClientHttp2Stream
  readonly headers: Promise<IncomingHttpHeaders>
  readonly text: string
  /** Resolves with everything when the response was read to its end. */
  readonly ended: Promise<string>
  has(count: number): Promise<void>
}

interface Http2Service extends Service {
  readonly http2: Http2Server
  readonly session: ClientHttp2Session
  readonly exchanges2: { readonly request: Http2ServerRequest; readonly response: Http2ServerResponse }[]
  /** Sends the head, with what is to be else in it, and no body. */
  begin(headers?: Record<string, string>): Http2Client
  post(query: string): Http2Client
}

/** The service on HTTP/2, with one session of a client. */
async function openHttp2(
  options: { readonly maxBodyBytes?: number; readonly maxPendingBytes?: number } = {},
): Promise<Http2Service> {
  const { maxPendingBytes, ...endpointOptions } = options
  const service = await openService({
    executor: { overflow: { ...(maxPendingBytes !== undefined && { maxPendingBytes }) } },
  })
  const { executor, schema } = service
  const endpoint = createSseEndpoint({ executor, schema, context: () => ({ tenantId: 'acme' }), ...endpointOptions })
  const exchanges2: Http2Service['exchanges2'] = []
  const http2 = createServer((request, response) => {
    exchanges2.push({ request, response })
    endpoint.handler(request, response)
  })
  http2.listen(0, '127.0.0.1')
  await once(http2, 'listening')
  const session = connect(`http://127.0.0.1:${(http2.address() as AddressInfo).port}`)
  session.on('error', () => {})
  onTestFinished(async () => {
    session.destroy()
    await endpoint.dispose()
    await new Promise((resolve) => http2.close(resolve))
  })
  const begin: Http2Service['begin'] = (headers = {}) => {
    const stream = session.request(
      {
        ':method': 'POST',
        ':path': '/graphql',
        accept: 'text/event-stream',
        'content-type': 'application/json',
        ...headers,
      },
      { endStream: false },
    )
    stream.on('error', () => {})
    let text = ''
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    const answered = once(stream, 'response').then(([head]) => head as IncomingHttpHeaders)
    const ended = once(stream, 'end').then(() => text)
    for (const each of [answered, ended]) each.catch(() => {})
    return {
      stream,
      headers: answered,
      get text() {
        return text
      },
      ended,
      has: (count) => until(() => eventsIn(text).length >= count, `${count} events have come`),
    }
  }
  return {
    ...service,
    endpoint,
    http2,
    session,
    exchanges2,
    begin,
    post(query) {
      const client = begin()
      client.stream.end(JSON.stringify({ query }))
      return client
    },
  }
}

describe('over HTTP/2', () => {
  it('queries and mutations are answered as over HTTP/1, without headers of a connection', async () => {
    const warned = vi.fn<(warning: Error) => void>()
    process.on('warning', warned)
    onTestFinished(() => void process.off('warning', warned))
    const service = await openHttp2()
    const client = service.post('mutation { add(left: 1, right: 2) }')
    expect(await client.ended).toBe(':\n\nevent: next\ndata: {"data":{"add":3}}\n\nevent: complete\ndata:\n\n')
    const headers = await client.headers
    expect(headers).toMatchObject({ ':status': 200, 'content-type': 'text/event-stream; charset=utf-8' })
    for (const name of ['connection', 'keep-alive', 'transfer-encoding']) expect(headers).not.toHaveProperty(name)
    await service.idle()
    expect(warned).not.toHaveBeenCalled()
  })

  it('streams of one session are served side by side, and end with complete', async () => {
    const service = await openHttp2()
    const clients = Array.from({ length: 20 }, () => service.post(news))
    await service.active(20)
    for (const text of ['x', 'y']) await service.publish('a', { text })
    for (const client of clients) await client.has(2)
    expect(service.executor.metrics()).toMatchObject({ connections: { active: 20 }, executions: 2, serializations: 2 })
    await service.endpoint.dispose()
    for (const client of clients) {
      expect(eventsIn(await client.ended).map((event) => event.split('\n')[0])).toEqual([
        'event: next',
        'event: next',
        'event: complete',
      ])
    }
    await service.idle()
  })

  it.each([
    [405, { ':method': 'PUT' }],
    [406, { accept: 'application/json' }],
    [415, { 'content-type': 'application/xml' }],
    [413, { 'content-length': '1000' }],
    [400, { 'content-type': 'text/plain' }],
  ])('wrong requests are refused with %i, and their streams are closed', async (status, headers) => {
    const service = await openHttp2({ maxBodyBytes: 100 })
    const client = service.begin(headers)
    expect((await client.headers)[':status']).toBe(status)
    expect(await client.headers).not.toHaveProperty('connection')
    expect(JSON.parse(await client.ended)).toMatchObject({ errors: [{ extensions: { code: 'BAD_REQUEST' } }] })
    await until(() => client.stream.closed, 'it is closed')
    expect(service.executor.metrics().connections.total).toBe(0)
    expect(service.session.destroyed).toBe(false)
  })

  it('a body that grows too large is refused, and so is one while the server takes leave', async () => {
    const service = await openHttp2({ maxBodyBytes: 100 })
    const large = service.begin()
    large.stream.write(' '.repeat(101))
    expect((await large.headers)[':status']).toBe(413)
    await until(() => large.stream.closed, 'it is closed')
    const late = service.begin()
    late.stream.write('{')
    await until(() => service.exchanges2[1]?.request.readableDidRead === true, 'its beginning was read')
    await service.endpoint.dispose()
    expect(await late.headers).toMatchObject({ ':status': 503 })
    expect(await service.post('{ hello }').headers).toMatchObject({ ':status': 503 })
  })

  it('a body that does not arrive is waited for half a minute, where Node would wait for ever', async () => {
    const service = await openHttp2()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const client = service.begin()
    client.stream.write('{')
    await until(() => vi.getTimerCount() === 1, 'it is waited for')
    vi.advanceTimersByTime(30_000)
    expect((await client.headers)[':status']).toBe(408)
    await until(() => client.stream.closed, 'it is closed')
    expect(vi.getTimerCount()).toBe(0)
  })

  it.each([
    ['resets its stream', ({ stream }: Http2Client) => stream.close(constants.NGHTTP2_CANCEL)],
    ['resets its stream without an error', ({ stream }: Http2Client) => stream.close(constants.NGHTTP2_NO_ERROR)],
    ['closes the session', ({ stream }: Http2Client) => stream.session?.destroy()],
  ])('a client that %s while its body is read, while it waits, or while it reads, is released', async (_, leave) => {
    for (const when of ['reading', 'starting', 'streaming'] as const) {
      const service = await openHttp2()
      const client = service.begin()
      if (when === 'reading') {
        client.stream.write('{')
        await until(() => service.exchanges2[0]?.request.readableDidRead === true, 'its beginning was read')
      } else {
        const query = when === 'starting' ? 'subscription { gated(topic: "a") { text } }' : news
        client.stream.end(JSON.stringify({ query }))
        await (when === 'starting' ? until(() => service.gates.length === 1, 'it is being started') : service.active(1))
      }
      leave(client)
      await until(() => service.exchanges2[0]?.response.stream.destroyed === true, 'the server knows of it')
      await service.connected(0)
      for (const gate of service.gates) gate.open()
      const started = when === 'reading' ? 0 : 1
      await until(() => service.executor.metrics().subscriptions.total === started, 'it was started')
      await service.idle()
      expect(service.errors).toEqual([])
    }
  })

  it('a client that has left before the endpoint is asked starts nothing', async () => {
    const service = await openHttp2()
    let asked = 0
    const gate = createGate()
    service.http2
      .removeAllListeners('request')
      .on('request', (request: Http2ServerRequest, response: Http2ServerResponse) => {
        request.resume().once('end', () => {
          gate.open()
          response.once('close', () => {
            setImmediate(() => {
              asked += 1
              service.endpoint.handler(Object.assign(request, { body: { query: news } }), response)
            })
          })
        })
      })
    const client = service.post(news)
    await gate.opened
    client.stream.close(constants.NGHTTP2_CANCEL)
    await until(() => asked === 1, 'it was asked')
    for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    expect(service.executor.metrics()).toMatchObject({ connections: { active: 0 }, subscriptions: { total: 0 } })
    expect(service.errors).toEqual([])
  })

  it('a source is pulled no faster than its stream is read, and the other streams go on', async () => {
    const service = await openHttp2({ maxPendingBytes: 100_000 })
    const slow = service.post('subscription { flood }')
    await slow.has(2)
    slow.stream.pause()
    const other = service.post(news)
    await service.active(2)
    let before = -1
    while (service.pulled.count > before) {
      before = service.pulled.count
      for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve))
      expect(service.exchanges2[0]?.response.writableLength).toBeLessThan(300_000)
    }
    await service.publish('a', { text: 'x' })
    await other.has(1)
    slow.stream.resume()
    await until(() => service.pulled.count > before + 20, 'it goes on')
    slow.stream.close(constants.NGHTTP2_CANCEL)
    await service.active(1)
    expect(service.released.count).toBe(1)
  })

  it('who reads too slowly ends with SLOW_CONSUMER, and the other streams go on', async () => {
    const service = await openHttp2({ maxPendingBytes: 100_000 })
    const [slow, fast] = [service.post(news), service.post(news)]
    await service.active(2)
    slow.stream.pause()
    let count = 0
    while (service.executor.metrics().subscriptions.active === 2) {
      await service.publish('a', { text: 'x'.repeat(50_000) })
      count += 1
      await fast.has(count)
    }
    slow.stream.resume()
    const events = eventsIn(await slow.ended)
    expect(events.at(-1)).toBe('event: complete\ndata:')
    expect(events.at(-2)).toContain('SLOW_CONSUMER')
    await service.connected(1)
  })
})

describe('over HTTP/2, with every beat,', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    return () => void vi.useRealTimers()
  })
  const beat = (): void => void vi.advanceTimersByTime(12_000)

  it('a stream that waits to be read to its end is left whole', async () => {
    const service = await openHttp2()
    const client = service.post('{ big(size: 1000000) }')
    client.stream.pause()
    await until(() => service.exchanges2[0]?.response.writableEnded === true, 'it was written')
    beat()
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    client.stream.resume()
    const events = eventsIn(await client.ended)
    expect(events).toHaveLength(2)
    expect(events[0]).toHaveLength('event: next\ndata: {"data":{"big":""}}'.length + 1_000_000)
    await service.idle()
  })

  it('a stream that is read slowly stays, and a session that takes nothing is cut', async () => {
    const service = await openHttp2({ maxPendingBytes: 100_000 })
    const client = service.post('subscription { flood }')
    await client.has(1)
    for (let count = 0; count < 5; count += 1) {
      client.stream.pause()
      for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve))
      expect(service.exchanges2[0]?.response.writableLength).toBeGreaterThan(0)
      beat()
      const before = client.text.length
      client.stream.resume()
      await until(() => client.text.length > before + 200_000, 'something was read')
    }
    expect(service.executor.metrics().connections.active).toBe(1)

    client.stream.pause()
    for (let turn = 0; turn < 500; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    beat()
    beat()
    expect(service.executor.metrics().connections.active).toBe(1)
    beat()
    await service.idle(1)
    expect(service.session.destroyed).toBe(false)
  })
})
