import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { fromChannel } from '@sluice/core'
import { until } from '@sluice/testkit'
import { GraphQLError } from 'graphql'
import { createSchema, type Plugin } from 'graphql-yoga'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { Heartbeat } from '@sluice/sse'
import { type OpenYoga, openYoga, transports } from './open-yoga.ts'

const schema = createSchema({
  typeDefs:
    'type Query { teapot: String } type Subscription { news: News own: News } type News { id: Int text: String broken: String teapot: String }',
  resolvers: {
    Query: {
      teapot: () => {
        throw new GraphQLError('I am a teapot', {
          extensions: { code: 'TEAPOT', http: { status: 418 }, unexpected: true },
        })
      },
    },
    Subscription: { news: fromChannel({ channel: 'news', share: 'tenant' }), own: fromChannel({ channel: 'news' }) },
    News: {
      broken: () => {
        throw new Error('password=hunter2')
      },
      teapot: () => {
        throw new GraphQLError('I am a teapot', {
          extensions: { code: 'TEAPOT', http: { status: 418 }, unexpected: true },
        })
      },
    },
  },
})
const sluice = { scope: () => ({ tenantId: 'acme', userId: 'ann' }), eventContext: () => ({}) }
const teapot = { message: 'I am a teapot', extensions: { code: 'TEAPOT' } }

function active({ sluice: { executor } }: OpenYoga, count: number): Promise<void> {
  return until(() => executor.metrics().subscriptions.active === count, `${count} subscriptions run`)
}

async function publish({ sluice: { executor } }: OpenYoga, id: number, text?: string): Promise<void> {
  await executor.publish({ tenantId: 'acme', channel: 'news', type: 'news', data: { id, text } })
}

describe('what Yoga keeps in extensions for itself', () => {
  for (const transport of transports) {
    it(`is not sent over ${transport}`, async () => {
      const addHttp: Plugin = {
        onSubscribe: () => ({
          onSubscribeResult: () => ({
            onNext: ({ result, setResult }) => setResult({ ...result, extensions: { http: { status: 500 }, cost: 1 } }),
          }),
        }),
      }
      const yoga = await openYoga({ sluice, schema, plugins: [addHttp] })
      const subscribers = ['news', 'own'].map((field) =>
        yoga.subscribe(transport, `subscription { ${field} { id broken teapot } }`),
      )
      await active(yoga, 2)
      await publish(yoga, 1)
      for (const subscriber of subscribers) {
        const [result] = await subscriber.received(1)
        expect(result?.extensions).toEqual({ cost: 1 })
        expect(result?.errors?.map(({ message, extensions }) => ({ message, extensions }))).toEqual([
          { message: 'Unexpected error.', extensions: { code: 'INTERNAL_SERVER_ERROR' } },
          teapot,
        ])
      }
    })
  }

  it('is not sent with the answer to a query over WebSocket', async () => {
    const { connect } = await openYoga({ sluice, schema })
    expect(await connect().run({ query: '{ teapot }' })).toMatchObject({ data: { teapot: null }, errors: [teapot] })
    const result = await connect().run({ query: '{ teapot }' })
    expect(result.errors?.[0]?.extensions).toEqual({ code: 'TEAPOT' })
  })
})

describe('a masker of the application', () => {
  it('is applied exactly once per error and group, whatever the transport and the number of subscribers', async () => {
    const masked: unknown[] = []
    const maskError = (error: unknown, message: string): Error => {
      masked.push(error)
      return new GraphQLError(`${message} (${masked.length})`)
    }
    const yoga = await openYoga({ sluice, schema, yoga: { maskedErrors: { maskError, errorMessage: 'Oh no' } } })
    const news = [...transports, ...transports].map((transport) =>
      yoga.subscribe(transport, 'subscription { news { id broken } }'),
    )
    await active(yoga, 4)
    await publish(yoga, 1)
    for (const subscriber of news) expect((await subscriber.received(1))[0]?.errors).toEqual([{ message: 'Oh no (1)' }])
    expect(masked).toHaveLength(1)
    expect(yoga.logged).toHaveLength(1)

    const own = transports.map((transport) => yoga.subscribe(transport, 'subscription { own { id broken } }'))
    await active(yoga, 6)
    await publish(yoga, 2)
    for (const subscriber of own) await subscriber.received(1)
    for (const subscriber of news)
      expect((await subscriber.received(2))[1]?.errors?.[0]?.message).toMatch(/^Oh no \(\d\)$/)
    expect(masked).toHaveLength(4)
    expect(yoga.logged).toHaveLength(4)
  })
})

describe('an SSE response', () => {
  it('has the headers of an event stream, begins at once, and ends with complete', async () => {
    const yoga = await openYoga({ sluice, schema })
    const { response, read } = await openStream(yoga)
    expect(response.statusCode).toBe(200)
    expect(response.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache',
      connection: 'keep-alive',
      'content-encoding': 'none',
    })
    await read(':\n\n')
    await active(yoga, 1)
    await publish(yoga, 1)
    await read(':\n\nevent: next\ndata: {"data":{"news":{"id":1}}}\n\n')
    await yoga.dispose()
    await read(':\n\nevent: next\ndata: {"data":{"news":{"id":1}}}\n\nevent: complete\ndata:\n\n')
    expect(response.complete).toBe(true)
  })

  it('to a client who does not read is cut when the server stops', async () => {
    const yoga = await openYoga({ sluice, schema })
    const { response } = await openStream(yoga, undefined, 'id text')
    await active(yoga, 1)
    response.pause()
    const text = 'x'.repeat(256 * 1024)
    // At the pace at which the server writes, so that it is the client who does not keep up.
    while (yoga.sluice.executor.metrics().subscriptions.active > 0) {
      await publish(yoga, 1, text)
      for (let turns = 0; turns < 5; turns += 1) await new Promise((resolve) => setImmediate(resolve))
    }
    const closed = new Promise((resolve) => response.once('close', resolve))
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    let isDisposed = false
    void yoga.dispose().then(() => {
      isDisposed = true
    })
    while (!isDisposed) {
      await vi.advanceTimersByTimeAsync(1000)
      await new Promise((resolve) => setImmediate(resolve))
    }
    vi.useRealTimers()
    response.resume()
    await closed
    expect(response.complete).toBe(false)
    await until(() => yoga.sluice.executor.metrics().connections.active === 0, 'no connection is left')
  })

  it('serves GET as well', async () => {
    const yoga = await openYoga({ sluice, schema })
    const { response, read } = await openStream(yoga, `?query=${encodeURIComponent('subscription { news { id } }')}`)
    expect(response.headers['content-type']).toBe('text/event-stream')
    await active(yoga, 1)
    await publish(yoga, 1)
    await read(':\n\nevent: next\ndata: {"data":{"news":{"id":1}}}\n\n')
  })
})

describe('the heartbeat', () => {
  it('beats for all with one timer, and has none while there is nobody', async () => {
    const heartbeat = new Heartbeat(1)
    const beats: string[] = []
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const before = timers()
    const stopA = heartbeat.start(() => beats.push('a'))
    const stopB = heartbeat.start(() => beats.push('b'))
    expect(timers()).toBe(before + 1)
    await until(() => beats.length >= 4, 'it has beaten')
    expect(beats.slice(0, 4)).toEqual(['a', 'b', 'a', 'b'])
    stopA()
    stopA()
    beats.length = 0
    await until(() => beats.length >= 2, 'it has beaten again')
    expect(new Set(beats)).toEqual(new Set(['b']))
    stopB()
    expect(timers()).toBe(before)
    stopB()
    const stopC = heartbeat.start(() => beats.push('c'))
    await until(() => beats.includes('c'), 'it beats again')
    stopC()
  })
})

interface RawStream {
  readonly response: IncomingMessage
  /** Resolves when exactly this was read, from the beginning. */
  read(text: string): Promise<void>
}

async function openStream({ address }: OpenYoga, query?: string, selection = 'id'): Promise<RawStream> {
  const headers = { accept: 'text/event-stream', 'content-type': 'application/json' }
  const sent = request(`http://${address}${query ?? ''}`, {
    method: query === undefined ? 'POST' : 'GET',
    headers,
    agent: false,
  })
  onTestFinished(() => void sent.destroy())
  sent.on('error', () => {})
  sent.end(query === undefined ? JSON.stringify({ query: `subscription { news { ${selection} } }` }) : undefined)
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  let body = ''
  response.setEncoding('utf8').on('data', (chunk: string) => {
    body += chunk
  })
  response.on('error', () => {})
  return {
    response,
    async read(text) {
      await until(
        () => body.length >= text.length,
        () => `${JSON.stringify(text)} was read, not ${JSON.stringify(body)}`,
      )
      expect(body).toBe(text)
    },
  }
}
