import { until } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { openSocket, postOf } from './raw-socket.ts'
import { ask, openStream, withQuery } from './raw-stream.ts'
import { openService, SECRET } from './service.ts'

const news = 'subscription { news(topic: "a") { text } }'

describe('what a client sends', () => {
  it('is never a part of a header, nor the end of an event', async () => {
    const evil = '\r\nset-cookie: a=b\r\n\r\nevent: complete\ndata:\n\n:\n\n'
    const service = await openService({
      host: {
        runOperation: ({ params }) => ({
          data: { query: params.query, name: params.operationName },
          extensions: { [evil]: evil },
        }),
      },
    })
    const url = withQuery(service.url, { query: evil, operationName: evil })
    const byGet = openStream({ url, method: 'GET', headers: { 'apollo-require-preflight': '1' } })
    const byPost = openStream({ url: service.url, body: { query: evil, operationName: evil } })
    for (const stream of [byGet, byPost]) {
      const { headers } = await stream.response
      expect(headers).not.toHaveProperty('set-cookie')
      await stream.ended
      expect(stream.events).toHaveLength(2)
      expect(stream.results).toEqual([{ data: { query: evil, name: evil }, extensions: { [evil]: evil } }])
    }
  })

  it('is not quoted where it is refused', async () => {
    const service = await openService()
    for (const body of ['<script>alert(1)</script>', '{"query":{"<script>":1}}', '["<script>"]'])
      expect((await ask({ url: service.url, body })).text).not.toContain('<')
  })

  it.each([
    [
      'nested deeper than a stack',
      `{"query":"{ hello }","variables":{"a":${'['.repeat(400_000)}${']'.repeat(400_000)}}}`,
    ],
    ['nested as a document', JSON.stringify({ query: '{a'.repeat(400_000) })],
    ['nested and cut off', '['.repeat(1_000_000)],
    [
      'nested as variables of a subscription',
      JSON.stringify({
        query: 'subscription ($topic: String!) { news(topic: $topic) { text } }',
        variables: { topic: 'X' },
      }).replace('"X"', '{"a":'.repeat(150_000) + '1' + '}'.repeat(150_000)),
    ],
    [
      'full of what objects inherit',
      '{"query":"{ hello }","variables":{"__proto__":{"a":1},"constructor":{"prototype":{"a":1}}},"extensions":{"__proto__":1}}',
    ],
  ])('may be %s: somebody else is served all the same', async (_, body) => {
    const service = await openService()
    const { status } = await ask({ url: service.url, body })
    expect([200, 400]).toContain(status)
    expect({}).not.toHaveProperty('a')
    const stream = openStream({ url: service.url, body: { query: '{ hello }' } })
    await stream.ended
    expect(stream.results).toEqual([{ data: { hello: 'world' } }])
    await service.idle()
  })
})

describe('a client that breaks its connection', () => {
  it.each(['subscription { flood }', news, '{ big(size: 5000000) }', '{ hello }', 'subscription { odd }'])(
    'in the middle of %s does no harm to others',
    async (query) => {
      const service = await openService()
      const other = openStream({ url: service.url, body: { query: news } })
      await service.active(1)
      for (let index = 0; index < 20; index += 1) {
        const socket = await openSocket(service.port)
        socket.write(postOf({ query }))
        if (index % 2 === 0) await socket.has('\r\n\r\n')
        socket.socket.resetAndDestroy()
        if (query === news) await service.publish('a', { text: 'x'.repeat(1000) })
      }
      await service.connected(1)
      await service.active(1)
      await service.publish('a', { text: 'still here' })
      await until(() => other.text.includes('still here'), 'the other one goes on')
    },
  )

  it('may do so between any two steps of an answer', async () => {
    for (const step of ['starting', 'begun', 'ended'] as const) {
      const service = await openService()
      const query = step === 'ended' ? '{ hello }' : 'subscription { gated(topic: "a") { text } }'
      const stream = openStream({ url: service.url, body: { query } })
      if (step !== 'ended') {
        await until(() => service.gates.length === 1, 'it is being started')
        if (step === 'starting') service.exchange().response.destroy()
        service.gates[0]?.open()
      }
      await until(() => service.exchanges.length === 1, 'it came')
      if (step === 'begun') await service.active(1)
      service.exchange().request.socket.destroy()
      await until(() => stream.sent.destroyed, 'the client knows')
      await service.connected(0)
      await service.active(0)
      await service.publish('a', { text: 'x' })
      expect(service.errors).toEqual([])
    }
  })
})

describe('a response that is not the endpoint’s any more', () => {
  it('because a time limit of the application answered first is left alone', async () => {
    const service = await openService({
      serve(request, response, { handler }) {
        handler(request, response)
        request.once('data', () => response.writeHead(504).end('too slow'))
      },
    })
    expect(await ask({ url: service.url, body: { query: news } })).toMatchObject({ status: 504, text: 'too slow' })
    expect(service.executor.metrics()).toMatchObject({ connections: { total: 0 }, subscriptions: { total: 0 } })
    expect(service.errors).toEqual([])
  })

  it('because it was refused by somebody first is left alone, also where the endpoint would refuse it', async () => {
    const service = await openService({
      serve(request, response, { handler }) {
        response.writeHead(401).end('who are you?')
        handler(request, response)
      },
    })
    for (const body of ['[]', { query: news }])
      expect(await ask({ url: service.url, body })).toMatchObject({ status: 401, text: 'who are you?' })
    expect(service.errors).toEqual([])
  })

  it('because somebody has only begun it is left alone, and onError hears of it', async () => {
    const service = await openService({
      serve(request, response, { handler }) {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write('theirs')
        handler(request, response)
      },
    })
    const stream = openStream({ url: service.url, body: { query: news } })
    await until(() => service.errors.length === 1, 'onError heard of it')
    expect(service.errors).toEqual([
      expect.objectContaining({ code: 'BAD_CONFIG', message: expect.stringContaining('another handler') }),
    ])
    service.exchange().response.end()
    expect(await stream.ended).toBe('theirs')
    expect(service.executor.metrics().connections.total).toBe(0)
  })

  it('because the application ended it while it streamed releases its subscription', async () => {
    const service = await openService()
    const stream = openStream({ url: service.url, body: { query: news } })
    await service.active(1)
    service.exchange().response.end('event: bye\n\n')
    await service.publish('a', { text: 'x' })
    expect(await stream.ended).toContain('event: bye')
    await service.idle()
    expect(service.errors).toEqual([])
  })
})

it('a request that cannot be handled is cut, and onError hears why', async () => {
  const service = await openService({
    serve(request, response, { handler }) {
      Object.defineProperty(request, 'headers', {
        get() {
          throw new Error(SECRET)
        },
      })
      handler(request, response)
    },
  })
  const stream = openStream({ url: service.url, body: { query: news } })
  await until(() => stream.sent.destroyed, 'it is cut')
  expect(stream.text).toBe('')
  expect(service.errors).toEqual([expect.objectContaining({ message: SECRET })])
})
