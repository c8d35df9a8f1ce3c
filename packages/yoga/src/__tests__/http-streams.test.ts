import { connect } from 'node:net'
import { createSubscriptionExecutor, fromChannel } from '@sluice/core'
import { until } from '@sluice/testkit'
import { GraphQLError } from 'graphql'
import { createSchema, createYoga, type Plugin } from 'graphql-yoga'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { useSluice } from '../index.ts'
import { openYoga } from './open-yoga.ts'
import { postRaw } from './raw-request.ts'

const schemaOf = (channel: () => string | Promise<string> = () => 'news') =>
  createSchema({
    typeDefs: 'type Query { ok: Boolean } type Subscription { news: News } type News { id: Int text: String }',
    resolvers: { Query: { ok: () => true }, Subscription: { news: fromChannel({ channel }) } },
  })
const query = 'subscription { news { id } }'
const refusedTypes = ['application/json', 'multipart/mixed', 'text/html', 'image/png']

async function open({ channel, ...others }: { channel?: () => Promise<string>; after?: Plugin[]; yoga?: object } = {}) {
  const errors: unknown[] = []
  const sluice = { scope: () => ({ tenantId: 'acme' }), onError: (error: unknown) => errors.push(error) }
  const yoga = await openYoga({ sluice, schema: schemaOf(channel), ...others })
  const { executor } = yoga.sluice
  return {
    ...yoga,
    errors,
    executor,
    started: (count: number) =>
      until(() => executor.metrics().subscriptions.total === count, `${count} subscriptions were started`),
    released: () =>
      until(() => {
        const { connections, subscriptions, groups } = executor.metrics()
        return connections.active === 0 && subscriptions.active === 0 && groups.active === 0
      }, 'nothing runs'),
  }
}

/** A plugin that wraps the stream in a generator, which passes on that it is ended only once it was read. */
const wrapped: Plugin = {
  onExecutionResult({ result, setResult }) {
    if (result === undefined || !(Symbol.asyncIterator in result)) return
    const stream = result
    setResult(
      (async function* () {
        yield* stream as AsyncIterable<never>
      })(),
    )
  },
}

describe('a subscription over HTTP is released', () => {
  for (const accept of refusedTypes) {
    it(`when the client accepts ${accept} alone, and is told so with 406`, async () => {
      const { address, started, released } = await open()
      const { statusCode } = await postRaw(address, { query }, accept).response
      expect(statusCode).toBe(406)
      await started(1)
      await released()
    })
  }

  it('when it is refused with 406 and a plugin had wrapped its stream', async () => {
    const { address, started, released } = await open({ after: [wrapped] })
    expect((await postRaw(address, { query }, 'application/json').response).statusCode).toBe(406)
    await started(1)
    await released()
  })

  for (const after of [[], [wrapped]]) {
    it(`when the client left while it was being started${after.length > 0 ? ', its stream wrapped by a plugin' : ''}`, async () => {
      let go = (_channel: string): void => {}
      let isAsked = false
      const channel = (): Promise<string> => {
        isAsked = true
        return new Promise((resolve) => {
          go = resolve
        })
      }
      const { address, server, started, released } = await open({ channel, after })
      let isClosed = false
      server.on('request', (_request, response) => response.once('close', () => (isClosed = true)))
      const { sent } = postRaw(address, { query })
      await until(() => isAsked, 'it is being started')
      sent.destroy()
      await until(() => isClosed, 'the server knows that the client left')
      go('news')
      await started(1)
      await released()
    })
  }

  it('when the client leaves while it runs', async () => {
    const { address, executor, released } = await open({ after: [wrapped] })
    const { sent } = postRaw(address, { query })
    await until(() => executor.metrics().connections.active === 1, 'it runs')
    sent.destroy()
    await released()
  })

  it('when it is part of a batch, whose other operations are answered', async () => {
    const { address, started, released } = await open({ yoga: { batching: true } })
    const { text } = postRaw(address, [{ query }, { query: '{ ok }' }, { query }], 'application/json')
    const refused = { errors: [{ message: expect.stringContaining('batch'), extensions: { code: 'BAD_REQUEST' } }] }
    expect(JSON.parse(await text)).toEqual([refused, { data: { ok: true } }, refused])
    await started(2)
    await released()
  })

  const failing: Record<string, Plugin> = {
    onExecutionResult: {
      onExecutionResult() {
        throw new Error('broken plugin')
      },
    },
    onResultProcess: {
      onResultProcess({ result }) {
        if (Symbol.asyncIterator in result) throw new Error('broken plugin')
      },
    },
    onResponse: {
      onResponse({ setResponse, fetchAPI }) {
        setResponse(new fetchAPI.Response('replaced'))
      },
    },
  }
  for (const [hook, plugin] of Object.entries(failing)) {
    it(`when a plugin's ${hook} keeps it from being answered`, async () => {
      const { address, started, released } = await open({ after: [plugin] })
      await postRaw(address, { query }).text
      await started(1)
      await released()
    })
  }

  it('when its connection closes before its turn to be answered, one listener for all that wait', async () => {
    const warned = vi.fn<(warning: Error) => void>()
    process.on('warning', warned)
    onTestFinished(() => void process.off('warning', warned))
    const { server, started, released } = await open()
    const body = JSON.stringify({ query })
    const head = `POST /graphql HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\ncontent-type: application/json`
    const address = server.address()
    if (typeof address !== 'object' || address === null) throw new Error('no address')
    const socket = connect(address.port, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    socket.write(`${head}\r\ncontent-length: ${body.length}\r\n\r\n${body}`.repeat(20))
    await started(20)
    socket.destroy()
    await released()
    expect(warned).not.toHaveBeenCalled()
  })

  it('when the client takes nothing for two heartbeats although results wait', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    onTestFinished(() => void vi.useRealTimers())
    const { address, executor, released } = await open()
    const { response } = postRaw(address, { query: 'subscription { news { text } }' })
    ;(await response).pause()
    const data = { text: 'x'.repeat(256 * 1024) }
    // Until more waits than the executor holds for a subscriber: by then the connection is full.
    await until(() => executor.metrics().subscriptions.active === 1, 'it runs')
    while (executor.metrics().subscriptions.active > 0) {
      await executor.publish({ tenantId: 'acme', channel: 'news', type: 'news', data })
      for (let turns = 0; turns < 5; turns += 1) await new Promise((resolve) => setImmediate(resolve))
    }
    expect(executor.metrics().connections.active).toBe(1)
    await vi.advanceTimersByTimeAsync(24_000)
    await released()
  })
})

describe('without Node’s response, as on other runtimes', () => {
  const openFetch = (after: Plugin[] = []) => {
    const executor = createSubscriptionExecutor({ scope: () => ({ tenantId: 'acme' }) })
    const yoga = createYoga({ schema: schemaOf(), plugins: [useSluice({ executor }), ...after] })
    onTestFinished(async () => {
      await yoga.dispose()
      await executor.dispose()
    })
    const post = (accept: string, signal?: AbortSignal) =>
      yoga.fetch('http://localhost/graphql', {
        method: 'POST',
        headers: { accept, 'content-type': 'application/json' },
        body: JSON.stringify({ query }),
        ...(signal && { signal }),
      })
    return { executor, post }
  }

  it('a subscription is released when it is refused with 406', async () => {
    const { executor, post } = openFetch()
    for (const accept of refusedTypes) expect((await post(accept)).status).toBe(406)
    expect(executor.metrics().subscriptions).toMatchObject({ active: 0, total: refusedTypes.length })
  })

  it('a subscription is released when a plugin fails afterwards', async () => {
    const { executor, post } = openFetch([
      {
        onExecutionResult() {
          throw new GraphQLError('broken plugin')
        },
      },
    ])
    expect(await (await post('application/json')).json()).toMatchObject({ errors: [{ message: 'broken plugin' }] })
    expect(executor.metrics().subscriptions).toMatchObject({ active: 0, total: 1 })
  })

  it('a subscription is released when its request is aborted, though nobody reads or cancels', async () => {
    const { executor, post } = openFetch()
    const client = new AbortController()
    expect((await post('text/event-stream', client.signal)).status).toBe(200)
    expect(executor.metrics()).toMatchObject({ connections: { active: 1 }, subscriptions: { active: 1 } })
    client.abort()
    await until(() => executor.metrics().subscriptions.active === 0, 'it is released')
    expect(executor.metrics().connections.active).toBe(0)
  })
})
