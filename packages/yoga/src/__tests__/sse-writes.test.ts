import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { fromChannel } from '@sluice/core'
import { countWrites, until } from '@sluice/testkit'
import { createSchema, type Plugin, type YogaServerOptions } from 'graphql-yoga'
import { describe, expect, it } from 'vitest'
import { type OpenYoga, openYoga } from './open-yoga.ts'
import { postRaw, type RawRequest } from './raw-request.ts'

const schema = createSchema({
  typeDefs: 'type Query { ok: Boolean } type Subscription { news: News } type News { id: Int text: String }',
  resolvers: { Subscription: { news: fromChannel({ channel: 'news', share: 'tenant' }) } },
})
const next = (id: number) => `event: next\ndata: {"data":{"news":{"id":${id}}}}\n\n`
const ids = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

interface Opened extends OpenYoga {
  /** Node's response to each request, and what was written to it by `response.write`. */
  readonly responses: Map<ServerResponse, unknown[]>
  publish(id: number, text?: string): Promise<unknown>
  subscribed(count: number, selection?: string): Promise<RawRequest[]>
}

async function open({
  plugins = [],
  yoga,
  maxPendingCount = 1000,
}: {
  plugins?: Plugin[]
  yoga?: object
  maxPendingCount?: number
} = {}): Promise<Opened> {
  const overflow = { maxPendingCount, maxPendingBytes: 1e9 }
  const opened = await openYoga({
    sluice: { scope: () => ({ tenantId: 'acme' }), eventContext: () => ({}), overflow },
    schema,
    after: plugins,
    ...(yoga && { yoga }),
  })
  const { executor } = opened.sluice
  const responses = new Map<ServerResponse, unknown[]>()
  opened.server.prependListener('request', (_request, response: ServerResponse) => {
    const chunks: unknown[] = []
    responses.set(response, chunks)
    const write = response.write.bind(response) as (chunk: unknown) => boolean
    response.write = (chunk: unknown) => {
      chunks.push(chunk)
      return write(chunk)
    }
  })
  return {
    ...opened,
    responses,
    publish: (id, text) => executor.publish({ tenantId: 'acme', channel: 'news', type: 'news', data: { id, text } }),
    async subscribed(count, selection = 'id') {
      const query = `subscription { news { ${selection} } }`
      const requests = ids(count).map(() => postRaw(opened.address, { query }))
      await Promise.all(requests.map(({ response }) => response))
      await until(() => requests.every(({ body }) => body !== ''), 'all are read')
      return requests
    },
  }
}

describe('events for SSE responses of one group', () => {
  it('are written to all of them as the very same buffer', async () => {
    const { publish, responses, subscribed } = await open()
    const requests = await subscribed(10)
    for (const id of ids(3)) await publish(id)
    const expected = [':\n\n', ...ids(3).map(next)]
    for (const request of requests) await until(() => request.body === expected.join(''), 'three events were read')
    const [first = []] = responses.values()
    for (const chunks of responses.values()) {
      expect(chunks.map(String)).toEqual(expected)
      expect(chunks.every((chunk, index) => chunk === first[index])).toBe(true)
    }
  })

  it('leave in one system call per response, when they come in one tick', async () => {
    const { publish, responses, subscribed } = await open()
    const requests = await subscribed(5)
    const writes = [...responses.keys()].map(({ socket }) => countWrites(socket as Socket))
    await Promise.all(ids(8).map((id) => publish(id)))
    const expected = `:\n\n${ids(8).map(next).join('')}`
    for (const request of requests) await until(() => request.body === expected, 'eight events were read')
    expect(writes.map(({ count }) => count)).toEqual([1, 1, 1, 1, 1])
  })
})

describe('a reader who does not keep up', () => {
  it('is why nothing more is pulled, and gets everything once it reads on', async () => {
    let pulled = 0
    const counting: Plugin = {
      onSubscribe: () => ({
        onSubscribeResult: () => ({
          onNext: () => {
            pulled += 1
          },
        }),
      }),
    }
    const { publish, responses, sluice, subscribed } = await open({ plugins: [counting] })
    const [request] = (await subscribed(1, 'id text')) as [RawRequest]
    const incoming = await request.response
    incoming.pause()
    const text = 'x'.repeat(64 * 1024)
    const [response] = responses.keys() as Iterable<ServerResponse>
    const { executor } = sluice
    let published = 0
    // Until twenty wait in the executor: the kernel and the response have taken what they take.
    while (published - pulled < 20) {
      published += 1
      await publish(published, text)
      for (let turns = 0; turns < 5; turns += 1) await new Promise((resolve) => setImmediate(resolve))
    }
    // One that is being written, one that was under way when the response told that it has no room.
    expect(response?.writableLength).toBeLessThan(2 * (text.length + 100))
    const pulledBefore = pulled
    await publish((published += 1), text)
    await new Promise((resolve) => setImmediate(resolve))
    expect(pulled).toBe(pulledBefore)

    incoming.resume()
    const last = `"id":${published},`
    await until(() => request.body.includes(last) && request.body.endsWith('\n\n'), 'all was read')
    const read = [...request.body.matchAll(/"id":(\d+),/g)].map(([, id]) => Number(id))
    expect(read).toEqual(ids(published))
    expect(executor.metrics()).toMatchObject({ events: { dropped: 0 }, subscriptions: { active: 1 } })
  })
})

const replacing: Record<string, NonNullable<Plugin['onResponse']>> = {
  'hands on in a response of its own': ({ response, setResponse, fetchAPI }) =>
    setResponse(new fetchAPI.Response(response.body, { status: 201, headers: response.headers })),
  'pipes through a stream': ({ response, setResponse, fetchAPI }) => {
    const through = new TransformStream<Uint8Array, Uint8Array>()
    setResponse(
      new fetchAPI.Response(response.body?.pipeThrough(through) ?? null, { status: 201, headers: response.headers }),
    )
  },
  'reads and writes anew': ({ response, setResponse, fetchAPI }) => {
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    const body = new fetchAPI.ReadableStream<Uint8Array>({
      async pull(controller) {
        const { done, value } = await reader.read()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      cancel: (reason) => reader.cancel(reason),
    })
    setResponse(new fetchAPI.Response(body, { status: 201, headers: response.headers }))
  },
}

describe('a body', () => {
  for (const [how, onResponse] of Object.entries(replacing)) {
    it(`that a plugin ${how} arrives event by event, and is released when the client leaves`, async () => {
      const { publish, sluice, subscribed } = await open({ plugins: [{ onResponse }] })
      const [request] = (await subscribed(1)) as [RawRequest]
      expect((await request.response).statusCode).toBe(201)
      for (const id of ids(3)) {
        await publish(id)
        await until(() => request.body === `:\n\n${ids(id).map(next).join('')}`, `event ${id} was read`)
      }
      request.sent.destroy()
      await until(() => sluice.executor.metrics().subscriptions.active === 0, 'it is released')
      expect(sluice.executor.metrics().connections.active).toBe(0)
    })

    it(`that a plugin ${how} ends with complete`, async () => {
      const { dispose, publish, subscribed } = await open({ plugins: [{ onResponse }] })
      const [request] = (await subscribed(1)) as [RawRequest]
      await publish(1)
      await until(() => request.body === `:\n\n${next(1)}`, 'it was read')
      await dispose()
      expect(await request.text).toBe(`:\n\n${next(1)}event: complete\ndata:\n\n`)
    })
  }

  it('that a plugin reads beside Yoga is whole for both', async () => {
    let seen = ''
    const reading: Plugin = {
      onResponse({ response }) {
        ;(response.body as unknown as NodeJS.ReadableStream).on('data', (chunk) => {
          seen += String(chunk)
        })
      },
    }
    const { publish, subscribed } = await open({ plugins: [reading] })
    const [request] = (await subscribed(1)) as [RawRequest]
    await publish(1)
    await until(() => request.body === `:\n\n${next(1)}`, 'it was read')
    expect(seen).toBe(request.body)
  })

  it('is one of the fetch API where Yoga is given another one than its own', async () => {
    const { Request, Response, Headers, ReadableStream } = globalThis
    const kinds: unknown[] = []
    const looking: Plugin = { onResponse: ({ response }) => void kinds.push(response.body instanceof ReadableStream) }
    const yoga = { fetchAPI: { Request, Response, Headers, ReadableStream } } as YogaServerOptions<object, object>
    const { dispose, publish, sluice, subscribed } = await open({ plugins: [looking], yoga })
    const [left, stayed] = (await subscribed(2)) as [RawRequest, RawRequest]
    await publish(1)
    await until(() => [left, stayed].every(({ body }) => body === `:\n\n${next(1)}`), 'both were read')
    left.sent.destroy()
    await until(() => sluice.executor.metrics().subscriptions.active === 1, 'one is released')
    await dispose()
    expect(await stayed.text).toBe(`:\n\n${next(1)}event: complete\ndata:\n\n`)
    expect(kinds).toEqual([true, true])
  })
})

it('leaves nothing behind when responses are over, whoever ended them', async () => {
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const before = timers()
  const { dispose, publish, responses, sluice, subscribed } = await open()
  const requests = await subscribed(20)
  await publish(1)
  for (const request of requests) await until(() => request.body === `:\n\n${next(1)}`, 'it was read')
  const closed = [...responses.keys()].map((response) => once(response, 'close'))
  for (const { sent } of requests.slice(10)) sent.destroy()
  await until(() => sluice.executor.metrics().subscriptions.active === 10, 'ten have left')
  await dispose()
  await Promise.all(closed)
  const { connections, groups, subscriptions } = sluice.executor.metrics()
  expect([connections.active, groups.active, subscriptions.active]).toEqual([0, 0, 0])
  expect(subscriptions.ended.byReason).toEqual({ client: 10, complete: 10 })
  for (const response of responses.keys()) {
    expect([response.listenerCount('drain'), response.listenerCount('unpipe'), response.writableLength]).toEqual([
      0, 0, 0,
    ])
  }
  expect(timers()).toBeLessThanOrEqual(before)
})
