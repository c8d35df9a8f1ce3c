import { describe, expect, it } from 'vitest'
import { ask, withQuery } from './raw-stream.ts'
import { openService } from './service.ts'

const query = '{ hello }'
const mutation = 'mutation { add(left: 1, right: 2) }'

const refusedPosts: Record<string, Record<string, string | undefined>> = {
  'without a content type': { 'content-type': undefined },
  'with an empty content type': { 'content-type': '' },
  'as a form': { 'content-type': 'application/x-www-form-urlencoded' },
  'as a form with files': { 'content-type': 'multipart/form-data; boundary=x' },
  'as text': { 'content-type': 'text/plain' },
  'as text that says it is JSON': { 'content-type': 'text/plain; application/json' },
  'as text in other letters': { 'content-type': 'Text/Plain;charset=UTF-8' },
  'as text with empty headers': {
    'content-type': 'text/plain',
    'apollo-require-preflight': '',
    'x-apollo-operation-name': '',
  },
  'as text with a header that browsers send': {
    'content-type': 'text/plain',
    'accept-language': 'apollo-require-preflight',
  },
}

const refusedGets: Record<string, Record<string, string | undefined>> = {
  'without any header': {},
  'with an empty content type': { 'content-type': '' },
  'with empty headers': { 'apollo-require-preflight': '', 'x-apollo-operation-name': '' },
}

const acceptedGets: Record<string, Record<string, string>> = {
  'with apollo-require-preflight': { 'apollo-require-preflight': '1' },
  'with x-apollo-operation-name': { 'X-Apollo-Operation-Name': 'Hello' },
  'as JSON': { 'content-type': 'application/json' },
  'as JSON in UTF-8': { 'content-type': 'application/json; charset=utf-8' },
}

const message = expect.stringMatching(
  /possible Cross-Site Request Forgery.*application\/json.*apollo-require-preflight/,
)

describe('a request that a page of another site can have a browser send', () => {
  it.each(Object.entries(refusedPosts))('by POST %s is refused, and not executed', async (_, headers) => {
    const service = await openService()
    const answer = await ask({ url: service.url, headers, body: { query: mutation } })
    expect(answer.status).toBe(400)
    expect(JSON.parse(answer.text)).toEqual({ errors: [{ message, extensions: { code: 'BAD_REQUEST' } }] })
    expect([service.added.count, service.executor.metrics().connections.total]).toEqual([0, 0])
  })

  it.each(Object.entries(refusedGets))('by GET %s is refused', async (_, headers) => {
    const service = await openService()
    const answer = await ask({ url: withQuery(service.url, { query }), method: 'GET', headers })
    expect(answer.status).toBe(400)
    expect(JSON.parse(answer.text)).toMatchObject({ errors: [{ message }] })
    expect(service.executor.metrics().connections.total).toBe(0)
  })

  it.each(['text/plain', 'application/octet-stream', 'application/json, text/plain', 'application/jsonp', 'x'])(
    'by GET as %s is refused with 415, whatever else it has',
    async (type) => {
      const service = await openService()
      const headers = { 'content-type': type, 'apollo-require-preflight': '1' }
      const answer = await ask({ url: withQuery(service.url, { query }), method: 'GET', headers })
      expect(answer.status).toBe(415)
      expect(service.executor.metrics().connections.total).toBe(0)
    },
  )

  it.each(Object.entries(refusedGets))('by GET %s is answered if the option says so', async (_, headers) => {
    const service = await openService({ endpoint: { csrfPrevention: false } })
    const answer = await ask({ url: withQuery(service.url, { query }), method: 'GET', headers })
    expect(answer).toMatchObject({ status: 200, text: expect.stringContaining('"world"') })
  })

  it('as text is executed under no option, since it is no JSON', async () => {
    const service = await openService({ endpoint: { csrfPrevention: false } })
    const headers = { 'content-type': 'text/plain' }
    expect((await ask({ url: service.url, headers, body: { query: mutation } })).status).toBe(415)
    expect(service.added.count).toBe(0)
  })
})

describe('a request that a browser asks for first', () => {
  it.each(Object.entries(acceptedGets))('by GET %s is answered', async (_, headers) => {
    const service = await openService()
    const answer = await ask({ url: withQuery(service.url, { query }), method: 'GET', headers })
    expect(answer).toMatchObject({ status: 200, text: expect.stringContaining('"world"') })
  })

  it('by POST as JSON is answered', async () => {
    const service = await openService()
    expect((await ask({ url: service.url, body: { query: mutation } })).status).toBe(200)
    expect(service.added.count).toBe(1)
  })
})
