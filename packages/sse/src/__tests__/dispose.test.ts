import { until } from '@sluice/testkit'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { headOf, openSocket, postOf } from './raw-socket.ts'
import { ask, openStream } from './raw-stream.ts'
import { openService, type Service } from './service.ts'

const news = 'subscription { news(topic: "a") { text } }'
const complete = 'event: complete\ndata:'
const draining = { message: 'The server is shutting down. Subscribe again.', extensions: { code: 'DRAINING' } }

function settled(promise: Promise<unknown>): () => boolean {
  let isSettled = false
  promise.then(
    () => (isSettled = true),
    () => (isSettled = true),
  )
  return () => isSettled
}

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

describe('disposing of an endpoint', () => {
  it('ends every stream with complete, and resolves when all have been read', async () => {
    const service = await openService()
    const streams = [news, 'subscription { silence }'].map((query) => openStream({ url: service.url, body: { query } }))
    await service.active(2)
    await service.publish('a', { text: 'last words' })
    await service.endpoint.dispose()
    expect(service.executor.metrics()).toMatchObject({ connections: { active: 0 }, subscriptions: { active: 0 } })
    for (const stream of streams) {
      await stream.ended
      expect(stream.events.filter((event) => event === complete)).toEqual([complete])
      expect(stream.events.at(-1)).toBe(complete)
    }
    expect(streams[0]?.results).toEqual([{ data: { news: { text: 'last words' } } }])
    await service.idle(1)
  })

  it('is one thing, however often it is asked for', async () => {
    const service = await openService()
    const stream = openStream({ url: service.url, body: { query: news } })
    await service.active(1)
    const { dispose, [Symbol.asyncDispose]: asyncDispose } = service.endpoint
    const first = dispose()
    expect(dispose()).toBe(first)
    expect(asyncDispose()).toBe(first)
    await first
    await dispose()
    expect(await stream.ended).toBe(`:\n\n${complete}\n\n`)
  })

  it('can be left to the end of a block', async () => {
    const service = await openService()
    const stream = openStream({ url: service.url, body: { query: news } })
    await service.active(1)
    {
      await using endpoint = service.endpoint
      expect(endpoint.handler).toBeTypeOf('function')
    }
    await service.idle()
    expect(await stream.ended).toContain(complete)
  })

  it('resolves where there is nobody, and of something that was released meanwhile', async () => {
    const service: Service = await openService({
      host: {
        runOperation: () => ({
          [Symbol.asyncIterator]: () => ({
            next: () => new Promise(() => {}),
            async return() {
              void service.endpoint.dispose() // of all places
              return { done: true, value: undefined }
            },
          }),
        }),
      },
    })
    const stream = openStream({ url: service.url, body: { query: 'a' } })
    await stream.response
    await service.endpoint.dispose()
    expect(await stream.ended).toContain(complete)
    await (await openService()).endpoint.dispose()
  })

  it('has the next request refused with 503, and its connection closed', async () => {
    const service = await openService()
    await service.endpoint.dispose()
    for (const request of [{ body: { query: news } }, { method: 'GET' }, { method: 'PUT' }, { body: '[]' }]) {
      const answer = await ask({ url: service.url, headers: { connection: 'keep-alive' }, ...request })
      expect(answer.status).toBe(503)
      expect(JSON.parse(answer.text)).toEqual({ errors: [draining] })
      expect(answer.headers).toMatchObject({ connection: 'close', 'cache-control': 'no-store' })
    }
    expect(service.executor.metrics()).toMatchObject({
      connections: { total: 0 },
      subscriptions: { total: 0, refused: { byCode: { DRAINING: 4 } } },
    })
  })

  it('has requests whose body is still coming refused at once', async () => {
    const service = await openService()
    const sockets = await Promise.all([1, 2, 3].map(() => openSocket(service.port)))
    for (const { write } of sockets) write(`${headOf(['content-length: 1000'])}{"query":`)
    await until(
      () => service.exchanges.filter(({ request }) => request.readableDidRead).length === 3,
      'their beginnings were read',
    )
    await service.endpoint.dispose()
    for (const { closed } of sockets) {
      const text = await closed
      expect(text).toMatch(/^HTTP\/1.1 503 /)
      expect(text.endsWith(JSON.stringify({ errors: [draining] }))).toBe(true)
    }
    expect(service.executor.metrics().connections.total).toBe(0)
  })

  it('has a request refused that had just arrived', async () => {
    const service = await openService({
      serve(request, response, { handler, dispose }) {
        request.resume().once('end', () => {
          handler(Object.assign(request, { body: { query: news } }), response)
          void dispose()
        })
      },
    })
    expect((await ask({ url: service.url, body: { query: news } })).status).toBe(503)
    expect(service.executor.metrics()).toMatchObject({ connections: { total: 0 }, security: { checks: 0 } })
  })

  it('waits for a single result that is under way', async () => {
    const service = await openService()
    const stream = openStream({ url: service.url, body: { query: '{ slow }' } })
    await until(() => service.gates.length === 1, 'it is executed')
    const disposed = service.endpoint.dispose()
    const isDisposed = settled(disposed)
    await turns()
    expect(isDisposed()).toBe(false)
    service.gates[0]?.open()
    await disposed
    await stream.ended
    expect(stream.results).toEqual([{ data: { slow: 'at last' } }])
  })

  it('refuses with DRAINING a subscription that is being started, and releases it', async () => {
    const service = await openService()
    const query = 'subscription { gated(topic: "a") { text } }'
    const stream = openStream({ url: service.url, body: { query } })
    await until(() => service.gates.length === 1, 'it is being started')
    const disposed = service.endpoint.dispose()
    service.gates[0]?.open()
    await disposed
    await stream.ended
    expect(stream.results).toEqual([{ errors: [draining] }])
    expect(stream.events).toHaveLength(2)
    await service.idle()
  })

  it('waits for who reads, however much it is', async () => {
    const service = await openService()
    const stream = openStream({ url: service.url, body: { query: '{ big(size: 20000000) }' } })
    const response = await stream.response
    response.pause()
    await until(() => service.exchanges[0]?.response.writableEnded === true, 'it was written')
    const disposed = service.endpoint.dispose()
    const isDisposed = settled(disposed)
    await turns()
    expect(isDisposed()).toBe(false)
    response.resume()
    await disposed
    await stream.ended
    expect(stream.events).toHaveLength(2)
  })

  it('cuts after closeTimeoutMs who does not read, and what is not answered', async () => {
    const service = await openService({ endpoint: { closeTimeoutMs: 4000 } })
    const deaf = openStream({ url: service.url, body: { query: 'subscription { flood }' } })
    ;(await deaf.response).pause()
    await until(() => service.pendingBytes() > 1_000_000, 'it is full')
    const waiting = openStream({ url: service.url, body: { query: '{ slow }' } })
    const starting = openStream({ url: service.url, body: { query: 'subscription { gated(topic: "a") { text } }' } })
    await until(() => service.gates.length === 2, 'the others are executed')

    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const disposed = service.endpoint.dispose()
    const isDisposed = settled(disposed)
    vi.advanceTimersByTime(3999)
    await turns()
    expect(isDisposed()).toBe(false)
    expect(service.executor.metrics().connections.active).toBe(3)

    vi.advanceTimersByTime(1)
    await disposed
    expect(service.executor.metrics().connections.active).toBe(0)
    expect(service.exchanges.map(({ request }) => request.socket.destroyed)).toEqual([true, true, true])
    for (const { sent } of [waiting, starting]) await until(() => sent.destroyed, 'the client knows')
    for (const gate of service.gates) gate.open()
    await until(() => service.executor.metrics().subscriptions.total === 2, 'it was started all the same')
    await service.idle(1)
    expect(service.errors).toEqual([])
  })

  it('cuts at once what is left with a closeTimeoutMs of 0', async () => {
    const service = await openService({ endpoint: { closeTimeoutMs: 0 } })
    const stream = openStream({ url: service.url, body: { query: '{ slow }' } })
    await until(() => service.gates.length === 1, 'it is executed')
    await service.endpoint.dispose()
    await until(() => stream.sent.destroyed, 'the client knows')
    service.gates[0]?.open()
    await service.idle()
  })

  it('leaves the server, the executor and other requests of a connection alone', async () => {
    const service = await openService({
      serve(request, response, { handler }) {
        if (request.url === '/other') response.end('other')
        else handler(request, response)
      },
    })
    const socket = await openSocket(service.port)
    socket.write(postOf({ query: news }))
    await service.active(1)
    await service.endpoint.dispose()
    await socket.has(complete)
    socket.write('GET /other HTTP/1.1\r\nhost: localhost\r\n\r\n')
    await socket.has('other')
    expect(service.server.listening).toBe(true)
    await service.publish('a', { text: 'x' })
  })

  it('comes to the same as the executor’s, for its streams', async () => {
    const service = await openService()
    const stream = openStream({ url: service.url, body: { query: news } })
    await service.active(1)
    await service.publish('a', { text: 'last words' })
    await service.executor.dispose()
    expect(await stream.ended).toContain(complete)
    expect(stream.results).toHaveLength(1)
    await service.idle()
    const late = openStream({ url: service.url, body: { query: news } })
    await late.ended
    expect(late.results).toEqual([{ errors: [draining] }])
  })
})
