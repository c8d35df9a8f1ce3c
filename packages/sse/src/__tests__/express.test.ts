import express from 'express'
import { describe, expect, it } from 'vitest'
import { openStream, withQuery } from './raw-stream.ts'
import { openService, type Service } from './service.ts'

const news = 'subscription { news(topic: "a") { text } }'

/** The endpoint as Express mounts it: the path is taken off `request.url`. */
async function mounted(...before: express.RequestHandler[]): Promise<Service> {
  const app = express()
  const service = await openService({ serve: (request, response) => app(request, response) })
  app.use('/graphql/stream', ...before, service.endpoint.handler)
  return service
}

describe('mounted in Express', () => {
  it.each<[string, express.RequestHandler[]]>([
    ['by itself', []],
    ['behind a parser of JSON', [express.json()]],
    ['behind a parser that gives text', [express.text({ type: '*/*' })]],
    ['behind a parser that gives a Buffer', [express.raw({ type: '*/*' })]],
    ['behind a parser of something else', [express.urlencoded({ extended: true })]],
  ])('%s it answers POST and GET', async (_, before) => {
    const service = await mounted(...before)
    const headers = { 'apollo-require-preflight': '1' }
    const streams = [
      openStream({ url: service.url, body: { query: news } }),
      openStream({ url: withQuery(service.url, { query: news }), method: 'GET', headers }),
    ]
    await service.active(2)
    for (const { request } of service.exchanges) expect(request.url).toMatch(/^\/(\?|$)/)
    await service.publish('a', { text: 'x' })
    for (const stream of streams) {
      await stream.has(1)
      expect(stream.results).toEqual([{ data: { news: { text: 'x' } } }])
      stream.leave()
    }
    await service.idle()
    expect(service.errors).toEqual([])
  })
})
