import { internalErrorMasker, schemaHost } from '@sluice/core'
import { until, webSocketClient } from '@sluice/testkit'
import { attachWebSocket } from '@sluice/ws'
import { describe, expect, it, onTestFinished } from 'vitest'
import { completeEvent } from '../events.ts'
import { createSseEndpoint } from '../sse-endpoint.ts'
import { openStream } from './raw-stream.ts'
import { openService, SECRET, type Service, type ServiceOptions } from './service.ts'

const query = 'subscription { news(topic: "a") { text } }'

/** A service that writes down, for each of its responses, what was written to it. */
async function recording(options: ServiceOptions = {}): Promise<Service & { readonly written: unknown[][] }> {
  const written: unknown[][] = []
  const service = await openService({
    ...options,
    serve(request, response, { handler }) {
      const chunks: unknown[] = []
      written.push(chunks)
      const write = response.write.bind(response) as (chunk: unknown) => boolean
      response.write = (chunk: unknown) => {
        chunks.push(chunk)
        return write(chunk)
      }
      handler(request, response)
    },
  })
  return { ...service, written }
}

const open = (service: Service, count: number, text: string = query) =>
  Array.from({ length: count }, () => openStream({ url: service.url, body: { query: text } }))

describe('streams of one group', () => {
  it('are executed and serialised once for 50 of them, and written the very same buffer', async () => {
    const service = await recording()
    const streams = open(service, 50)
    await service.active(50)
    await service.publish('a', { text: 'x' })
    await service.publish('a', { text: 'y' })
    for (const stream of streams) {
      await stream.has(2)
      expect(stream.results).toEqual(['x', 'y'].map((text) => ({ data: { news: { text } } })))
    }

    expect(service.executor.metrics()).toMatchObject({
      connections: { active: 50, total: 50 },
      groups: { active: 1 },
      executions: 2,
      serializations: 2,
      events: { delivered: 100, dropped: 0 },
    })
    const [first = []] = service.written
    expect(first.map(String)).toEqual([
      ':\n\n',
      ...['x', 'y'].map((text) => `event: next\ndata: {"data":{"news":{"text":"${text}"}}}\n\n`),
    ])
    for (const chunks of service.written) {
      expect(chunks).toHaveLength(3)
      expect(chunks.every((chunk, index) => chunk === first[index])).toBe(true)
    }
  })

  it('are masked, reported and serialised once, and share that buffer too', async () => {
    const service = await recording()
    const streams = open(service, 10, 'subscription { news(topic: "a") { text broken } }')
    await service.active(10)
    await service.publish('a', { text: 'x' })
    for (const stream of streams) {
      await stream.has(1)
      expect(stream.results).toMatchObject([
        { data: { news: { text: 'x', broken: null } }, errors: [{ message: 'Internal server error' }] },
      ])
      expect(stream.text).not.toContain(SECRET)
    }
    expect(service.errors).toEqual([expect.objectContaining({ message: SECRET })])
    expect(service.executor.metrics()).toMatchObject({ executions: 1, serializations: 1 })
    expect(new Set(service.written.map((chunks) => chunks.at(-1))).size).toBe(1)
  })

  it('share with the sockets of the same host, errors masked once for both', async () => {
    const service = await openService()
    const { executor, schema, server } = service
    const host = schemaHost({ executor, schema, context: () => ({ tenantId: 'acme' }) })
    const endpoint = createSseEndpoint({ executor, host })
    server.removeAllListeners('request').on('request', endpoint.handler)
    const sockets = attachWebSocket({ executor, server, path: '/graphql', host })
    onTestFinished(async () => void (await Promise.all([endpoint.dispose(), sockets.dispose()])))
    const client = webSocketClient({ url: `ws://127.0.0.1:${service.port}/graphql`, headers: {} })
    onTestFinished(() => client.dispose())

    const broken = 'subscription { news(topic: "a") { broken } }'
    const stream = openStream({ url: service.url, body: { query: broken } })
    const subscriber = client.subscribe({ query: broken })
    await service.active(2)
    await service.publish('a', {})
    await stream.has(1)
    expect(await subscriber.received(1)).toEqual(stream.results)
    expect(stream.text).not.toContain(SECRET)
    expect(service.errors).toHaveLength(1)
    expect(executor.metrics()).toMatchObject({ groups: { active: 1 }, executions: 1, serializations: 1 })
  })

  it('are one group with those of another endpoint of the same executor, and share their buffers', async () => {
    const service = await recording()
    const { executor, schema } = service
    const written: unknown[] = []
    const other = createSseEndpoint({ executor, schema, context: () => ({ tenantId: 'acme' }) })
    onTestFinished(() => other.dispose())
    const [first] = open(service, 1)
    await service.active(1)
    service.server.removeAllListeners('request').on('request', (request, response) => {
      const write = response.write.bind(response) as (chunk: unknown) => boolean
      response.write = (chunk: unknown) => {
        written.push(chunk)
        return write(chunk)
      }
      other.handler(request, response)
    })
    const [second] = open(service, 1)
    await service.active(2)
    await service.publish('a', { text: 'x' })
    for (const stream of [first, second]) await stream?.has(1)
    expect(written.at(-1)).toBe(service.written[0]?.at(-1))
    expect(executor.metrics()).toMatchObject({ groups: { active: 1 }, serializations: 1 })

    await other.dispose()
    expect(await second?.ended).toContain(String(completeEvent))
    await service.active(1)
  })
})

describe('results that a host wrapped', () => {
  it('are written as the shared bytes as long as nobody changed them', async () => {
    let wrapped = 0
    const service: Service = await openService({
      host: {
        async runOperation({ params: { query } }) {
          const stream = await service.executor.subscribe(service.argsOf(query))
          return (async function* () {
            for await (const result of stream as AsyncIterable<object>) {
              wrapped += 1
              yield result
            }
          })()
        },
        sanitizeResult: (result) => internalErrorMasker(service.executor)(result),
      },
    })
    const streams = open(service, 5)
    await service.active(5)
    await service.publish('a', { text: 'x' })
    for (const stream of streams) await stream.has(1)
    expect(streams.map(({ results }) => results)).toEqual(streams.map(() => [{ data: { news: { text: 'x' } } }]))
    expect(service.executor.metrics()).toMatchObject({ executions: 1, serializations: 1 })
    expect(wrapped).toBe(5)
    for (const stream of streams) stream.leave()
    await until(() => service.executor.metrics().connections.active === 0, 'they have left')
  })
})
