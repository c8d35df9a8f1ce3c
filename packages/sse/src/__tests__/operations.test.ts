import { until } from '@sluice/testkit'
import { createClient, type RequestParams } from 'graphql-sse'
import { describe, expect, it, onTestFinished } from 'vitest'
import { headOf, openSocket } from './raw-socket.ts'
import { ask, openStream, withQuery } from './raw-stream.ts'
import { openService, type Service } from './service.ts'

const news = 'subscription ($topic: String!) { news(topic: $topic) { text number } }'
const variables = { topic: 'a' }

describe('an event stream, to the byte,', () => {
  it('of a subscription is a comment, its events, and the end', async () => {
    const service = await openService()
    const stream = openStream({ url: service.url, body: { query: news, variables } })
    await service.active(1)
    await until(() => stream.text === ':\n\n', 'it has begun')
    await service.publish('a', { text: 'line\nline\r\n\u2028ü"\\', number: 1 })
    await stream.has(1)
    await service.publish('a', { text: null })
    await stream.has(2)
    await service.endpoint.dispose()
    expect(await stream.ended).toBe(
      [
        ':\n\n',
        'event: next\ndata: {"data":{"news":{"text":"line\\nline\\r\\n\u2028ü\\"\\\\","number":1}}}\n\n',
        'event: next\ndata: {"data":{"news":{"text":null,"number":null}}}\n\n',
        'event: complete\ndata:\n\n',
      ].join(''),
    )
  })

  it.each([
    ['a query', '{ hello }', '{"data":{"hello":"world"}}'],
    ['a mutation', 'mutation { add(left: 1, right: 2) }', '{"data":{"add":3}}'],
  ])('of %s is one event, and the end', async (_, query, data) => {
    const service = await openService()
    const { status, headers, text } = await ask({ url: service.url, body: { query } })
    expect(text).toBe(`:\n\nevent: next\ndata: ${data}\n\nevent: complete\ndata:\n\n`)
    expect(status).toBe(200)
    expect(headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'private, no-store, no-transform',
      'x-accel-buffering': 'no',
      'transfer-encoding': 'chunked',
      connection: 'close', // as the client asked for
    })
    await service.idle()
    expect(service.executor.metrics().connections.total).toBe(1)
  })

  it.each([
    ['that does not parse', 'subscription {', /^Syntax Error/],
    ['that does not validate', 'subscription { nothing }', /nothing/],
    ['without a variable', news, /topic/],
    ['that names no operation', 'query A { hello } query B { hello }', /no such operation/],
  ])('of a document %s is its errors, and the end', async (_, query, message) => {
    const service = await openService()
    const stream = openStream({ url: service.url, body: { query } })
    expect((await stream.response).statusCode).toBe(200)
    await stream.ended
    expect(stream.events).toHaveLength(2)
    expect(stream.results).toEqual([{ errors: [expect.objectContaining({ message: expect.stringMatching(message) })] }])
    expect(stream.events[1]).toBe('event: complete\ndata:')
    await service.idle()
  })
})

describe('an older client', () => {
  it('of HTTP/1.0 gets a stream that ends with its connection', async () => {
    const service = await openService()
    const body = JSON.stringify({ query: 'subscription { numbers(to: 2) }' })
    const socket = await openSocket(service.port)
    socket.write(headOf([`content-length: ${body.length}`], '1.0') + body)
    const [head = '', stream] = (await socket.closed).split('\r\n\r\n')
    expect(head.toLowerCase()).not.toContain('transfer-encoding')
    expect(stream).toBe(
      ':\n\nevent: next\ndata: {"data":{"numbers":1}}\n\nevent: next\ndata: {"data":{"numbers":2}}\n\nevent: complete\ndata:\n\n',
    )
  })
})

describe('GET', () => {
  const headers = { 'apollo-require-preflight': '1' }

  it('subscribes', async () => {
    const service = await openService()
    const url = withQuery(service.url, { query: news, variables: '{"topic":"a"}' })
    const stream = openStream({ url, method: 'GET', headers })
    await service.active(1)
    await service.publish('a', { text: 'x' })
    await stream.has(1)
    expect(stream.results).toEqual([{ data: { news: { text: 'x', number: null } } }])
  })

  it.each([
    ['mutation { add(left: 1, right: 2) }', {}],
    ['query Hello { hello } mutation Add { add(left: 1, right: 2) }', { operationName: 'Add' }],
  ])('does not execute %s', async (query, others) => {
    const service = await openService()
    const stream = openStream({ url: withQuery(service.url, { query, ...others }), method: 'GET', headers })
    await stream.ended
    expect(stream.results).toMatchObject([{ errors: [{ extensions: { code: 'BAD_REQUEST' } }] }])
    expect(stream.results[0]).not.toHaveProperty('data')
    expect(service.added.count).toBe(0)
  })

  it('is not told from its URL but from its method', async () => {
    const service = await openService()
    const query = 'mutation { add(left: 1, right: 2) }'
    const stream = openStream({ url: withQuery(service.url, { query: '{ hello }' }), body: { query } })
    await stream.ended
    expect(stream.results).toEqual([{ data: { add: 3 } }])
  })

  it('tells the host that nothing may change', async () => {
    const asked: unknown[] = []
    const service = await openService({
      host: {
        runOperation({ transport, isReadOnly, req }) {
          asked.push([transport, isReadOnly, req.method])
          return { data: {} }
        },
      },
    })
    await ask({ url: withQuery(service.url, { query: 'a' }), method: 'GET', headers })
    await ask({ url: service.url, body: { query: 'a' } })
    expect(asked).toEqual([
      ['sse', true, 'GET'],
      ['sse', false, 'POST'],
    ])
  })
})

describe('the client of graphql-sse', () => {
  const open = (service: Service, headers: Record<string, string> = {}) => {
    const client = createClient({ url: service.url, headers, retryAttempts: 0 })
    onTestFinished(() => client.dispose())
    return async <T>(params: RequestParams): Promise<T[]> => {
      const results: unknown[] = []
      for await (const result of client.iterate(params)) results.push(result)
      return results as T[]
    }
  }

  it('runs queries and mutations, and reads errors', async () => {
    const all = open(await openService())
    expect(await all({ query: '{ hello }' })).toEqual([{ data: { hello: 'world' } }])
    expect(await all({ query: 'mutation { add(left: 2, right: 2) }' })).toEqual([{ data: { add: 4 } }])
    expect(await all({ query: '{ nothing }' })).toMatchObject([{ errors: [{ message: expect.any(String) }] }])
    expect(await all({ query: '{ refused }' })).toMatchObject([
      { data: { refused: null }, errors: [{ message: 'Not for you', extensions: { code: 'REFUSED' } }] },
    ])
  })

  it('subscribes until the server ends it', async () => {
    const service = await openService()
    const results = open(service)({ query: news, variables })
    await service.active(1)
    for (const number of [1, 2, 3]) await service.publish('a', { number })
    await service.endpoint.dispose()
    expect(await results).toEqual([1, 2, 3].map((number) => ({ data: { news: { text: null, number } } })))
  })

  it('reads a source that is not of a channel to its end', async () => {
    const service = await openService()
    const results = await open(service)({ query: 'subscription { numbers(to: 3) }' })
    expect(results).toEqual([1, 2, 3].map((numbers) => ({ data: { numbers } })))
    await service.idle(1)
  })

  it('gets what is for its tenant', async () => {
    const service = await openService()
    const mine = open(service, { 'x-tenant': 'acme' })({ query: news, variables })
    const theirs = open(service, { 'x-tenant': 'globex' })({ query: news, variables })
    await service.active(2)
    await service.publish('a', { text: 'for acme' }, 'acme')
    await service.publish('a', { text: 'for globex' }, 'globex')
    await service.endpoint.dispose()
    expect(await mine).toEqual([{ data: { news: { text: 'for acme', number: null } } }])
    expect(await theirs).toEqual([{ data: { news: { text: 'for globex', number: null } } }])
  })
})
