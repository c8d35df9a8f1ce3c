import { Agent, request } from 'node:http'
import { describe, expect, it } from 'vitest'
import { ask, openStream, withQuery } from './raw-stream.ts'
import { openService, type Service } from './service.ts'

const query = '{ hello }'
const preflight = { 'apollo-require-preflight': '1' }

/** It was refused before anything was started, and the connection is not counted. */
function expectNothing({ executor, errors }: Service): void {
  const { connections, subscriptions, security } = executor.metrics()
  expect([connections, subscriptions.total, security.checks]).toEqual([{ active: 0, total: 0 }, 0, 0])
  expect(errors).toEqual([])
}

function refusal(message: string): string {
  return JSON.stringify({ errors: [{ message, extensions: { code: 'BAD_REQUEST' } }] })
}

describe('a request is refused', () => {
  it.each(['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'QUERY'])(
    'with 405 for the method %s, naming those allowed',
    async (method) => {
      const service = await openService({ endpoint: { csrfPrevention: false } })
      const answer = await ask({ url: service.url, method })
      expect(answer).toMatchObject({ status: 405, text: refusal('Subscribe with GET or POST.') })
      expect(answer.headers).toMatchObject({
        allow: 'GET, POST',
        'cache-control': 'no-store',
        'content-type': 'application/json; charset=utf-8',
      })
      expectNothing(service)
    },
  )

  it('with 405 and no body for HEAD', async () => {
    const service = await openService({ endpoint: { csrfPrevention: false } })
    expect(await ask({ url: service.url, method: 'HEAD' })).toMatchObject({ status: 405, text: '' })
    expectNothing(service)
  })

  it.each<[string, unknown, string]>([
    ['is no JSON', '{ hello }', 'The body is not JSON.'],
    ['is empty', '', 'The body is not JSON.'],
    ['is cut off', '{"query":"{ hello }"', 'The body is not JSON.'],
    ['is a batch', [{ query }, { query }], 'A subscription cannot be part of a batch. Send it on its own.'],
    ['is an empty batch', [], 'A subscription cannot be part of a batch. Send it on its own.'],
    ['is a string', '"{ hello }"', 'The body has to be a JSON object.'],
    ['is a number', '1', 'The body has to be a JSON object.'],
    ['is null', 'null', 'The body has to be a JSON object.'],
    ['has no query', {}, '"query" has to be a string.'],
    ['has a query of null', { query: null }, '"query" has to be a string.'],
    ['has a query that is a number', { query: 1 }, '"query" has to be a string.'],
    ['has a query that is an object', { query: { kind: 'Document' }, extensions: {} }, '"query" has to be a string.'],
    ['has an inherited query', '{"__proto__":{"query":"{ hello }"}}', '"query" has to be a string.'],
    ['has variables that are a string', { query, variables: '{}' }, '"variables" has to be an object.'],
    ['has variables that are an array', { query, variables: [] }, '"variables" has to be an object.'],
    ['has variables that are a number', { query, variables: 0 }, '"variables" has to be an object.'],
    ['has extensions that are a string', { query, extensions: 'all' }, '"extensions" has to be an object.'],
    ['has extensions that are an array', { query, extensions: [{}] }, '"extensions" has to be an object.'],
    ['has an operationName that is a number', { query, operationName: 1 }, '"operationName" has to be a string.'],
    ['has an operationName that is an array', { query, operationName: ['A'] }, '"operationName" has to be a string.'],
  ])('with 400 if its body %s', async (_, body, message) => {
    const service = await openService()
    expect(await ask({ url: service.url, body })).toMatchObject({ status: 400, text: refusal(message) })
    expectNothing(service)
  })

  it.each<[string, Record<string, string>, string]>([
    ['has no query', { variables: '{}' }, '"query" has to be a string.'],
    ['has variables that are no JSON', { query, variables: '{' }, 'The parameter "variables" is not JSON.'],
    ['has variables that are an array', { query, variables: '[]' }, '"variables" has to be an object.'],
    ['has variables that are a string', { query, variables: '"all"' }, '"variables" has to be an object.'],
    ['has extensions that are no JSON', { query, extensions: 'a=b' }, 'The parameter "extensions" is not JSON.'],
    ['has extensions that are a number', { query, extensions: '1' }, '"extensions" has to be an object.'],
  ])('with 400 if its query string %s', async (_, params, message) => {
    const service = await openService()
    const answer = await ask({ url: withQuery(service.url, params), method: 'GET', headers: preflight })
    expect(answer).toMatchObject({ status: 400, text: refusal(message) })
    expectNothing(service)
  })

  it.each(['', '?', '#query={hello}'])('with 400 if there is nothing but %j behind its path', async (suffix) => {
    const service = await openService()
    const answer = await ask({ url: service.url + suffix, method: 'GET', headers: preflight })
    expect(answer).toMatchObject({ status: 400, text: refusal('"query" has to be a string.') })
    expectNothing(service)
  })

  it.each([
    'application/json',
    'text/html, application/xhtml+xml',
    'text/event-stream;q=0',
    'text/event-stream; q=0.000, application/json',
    'text/event-stream;q=0, */*',
    'text/*;q=0, */*',
    '*/*;q=0',
    'text/event-streams',
    'event-stream',
    '*',
    ',',
  ])('with 406 if it accepts %s', async (accept) => {
    const service = await openService()
    const answer = await ask({ url: service.url, headers: { accept }, body: { query } })
    expect(answer).toMatchObject({ status: 406, text: refusal('What is answered is text/event-stream: accept it.') })
    expectNothing(service)
  })

  it('and its connection serves the next one', async () => {
    const service = await openService()
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const headers = { 'content-type': 'application/json', accept: 'text/event-stream' }
    for (const [body, status] of [
      ['[]', 400],
      ['{"query":"{ hello }"}', 200],
    ] as const) {
      const answered = await new Promise<number | undefined>((resolve) => {
        const sent = request(service.url, { method: 'POST', headers, agent }, (response) => {
          response.resume().once('end', () => resolve(response.statusCode))
        })
        sent.end(body)
      })
      expect(answered).toBe(status)
    }
    agent.destroy()
    const sockets = new Set(service.exchanges.map(({ request }) => request.socket))
    expect([service.exchanges.length, sockets.size]).toEqual([2, 1])
  })
})

describe('a request is answered', () => {
  it.each([
    undefined,
    '',
    'text/event-stream',
    'Text/Event-Stream',
    'text/event-stream; charset=utf-8',
    'text/event-stream;q=0.1, application/json',
    'application/json, text/event-stream',
    'application/json;q=0.9,*/*;q=0.1',
    'text/*',
    '*/*',
    '*/*;q=0, text/event-stream',
    'text/event-stream;q=0.001',
    'text/event-stream;q=1.0',
  ])('if it accepts %j', async (accept) => {
    const service = await openService()
    expect((await ask({ url: service.url, headers: { accept }, body: { query } })).status).toBe(200)
  })

  const document = 'query A { hello } query B($size: Int = 1) { big(size: $size) }'

  it.each<[string, Record<string, unknown>, unknown]>([
    ['with variables', { query: document, operationName: 'B', variables: { size: 3 } }, { big: 'xxx' }],
    [
      'whose optional parameters are null',
      { query, operationName: null, variables: null, extensions: null },
      { hello: 'world' },
    ],
    ['whose parameters it does not know', { query, id: 1, doc_id: 'x' }, { hello: 'world' }],
  ])('%s', async (_, body, data) => {
    const service = await openService()
    const stream = openStream({ url: service.url, body })
    await stream.ended
    expect(stream.results).toEqual([{ data }])
  })

  it.each<[string, Record<string, string>, unknown]>([
    ['with variables', { query: document, operationName: 'B', variables: '{"size":2}' }, { big: 'xx' }],
    [
      'whose optional parameters are empty',
      { query, operationName: '', variables: '', extensions: '' },
      { hello: 'world' },
    ],
    ['whose optional parameters are null', { query, variables: 'null', extensions: 'null' }, { hello: 'world' }],
    ['with characters that a URL has to escape', { query: '{ hello # + & = ? ü 🚢\n}' }, { hello: 'world' }],
  ])('by GET %s', async (_, params, data) => {
    const service = await openService()
    const stream = openStream({ url: withQuery(service.url, params), method: 'GET', headers: preflight })
    await stream.ended
    expect(stream.results).toEqual([{ data }])
  })

  it('with the parameters as they came, whoever runs them', async () => {
    const params: unknown[] = []
    const service = await openService({
      host: {
        runOperation(operation) {
          params.push(operation.params)
          return { data: {} }
        },
      },
    })
    const extensions = { persistedQuery: { version: 1, sha256Hash: 'abc' } }
    await ask({ url: service.url, body: { extensions } })
    await ask({ url: service.url, body: { query: 'a', operationName: 'b', variables: { c: [1] }, extensions: {} } })
    await ask({
      url: withQuery(service.url, { query: '', extensions: JSON.stringify(extensions) }),
      method: 'GET',
      headers: preflight,
    })
    const none = { operationName: undefined, variables: undefined }
    expect(params).toEqual([
      { query: '', extensions, ...none },
      { query: 'a', operationName: 'b', variables: { c: [1] }, extensions: {} },
      { query: '', extensions, ...none },
    ])
  })
})
