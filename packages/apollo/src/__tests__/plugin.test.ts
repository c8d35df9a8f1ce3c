import { ApolloServer } from '@apollo/server'
import { createSubscriptionExecutor, fromChannel, SluiceError } from '@sluice/core'
import { makeExecutableSchema } from '@graphql-tools/schema'
import { once } from 'node:events'
import { Registry } from 'prom-client'
import { WebSocket, WebSocketServer } from 'ws'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ApolloServerPluginSluice } from '../index.ts'
import { contextOf } from './apollo-host.ts'
import { openApollo, schemaOf, secret } from './open-apollo.ts'

const scope = () => ({ tenantId: 'acme' })
const query = 'subscription { renamed { name } }'

describe('its options', () => {
  const wrong: Record<string, [options: unknown, message: string]> = {
    'are none': [undefined, 'the options have to be an object'],
    'lack a context': [{ scope }, 'the option "context"'],
    'lack a scope': [{ context: contextOf }, 'the option "scope" is missing'],
    'have a server instead of a function': [{ scope, context: contextOf, server: {} }, 'the option "server"'],
    'have a path without a server to serve it on': [{ scope, context: contextOf, path: '/x' }, 'the option "path"'],
    'have limits of a socket without a server': [
      { scope, context: contextOf, webSocket: {} },
      'the option "webSocket"',
    ],
    'have a time that is none': [{ scope, context: contextOf, drainTimeoutMs: -1 }, 'the option "drainTimeoutMs"'],
    'name one that does not exist': [{ scope, context: contextOf, bogus: 1 }, 'bogus'],
    'have the executor’s beside an executor': [
      { executor: createSubscriptionExecutor(), context: contextOf, scope },
      'the option "scope" belongs to the executor',
    ],
    'limit SSE wrongly': [{ scope, context: contextOf, sse: { heartbeatMs: 0 } }, 'heartbeatMs'],
  }
  for (const [what, [options, message]] of Object.entries(wrong)) {
    it(`are refused with BAD_CONFIG if they ${what}`, () => {
      const make = () => ApolloServerPluginSluice(options as never)
      expect(make).toThrow(SluiceError)
      expect(make).toThrow(message)
    })
  }

  it('that the schema needs are asked for when the server starts', async () => {
    const plugin = ApolloServerPluginSluice({ context: contextOf, scope })
    const server = new ApolloServer({ schema: schemaOf(), plugins: [plugin], stopOnTerminationSignals: false })
    await expect(server.start()).rejects.toThrow('eventContext')
  })

  it('are for one server', async () => {
    const { sluice } = await openApollo()
    const second = new ApolloServer({ schema: schemaOf(), plugins: [sluice], stopOnTerminationSignals: false })
    await expect(second.start()).rejects.toMatchObject({ code: 'BAD_CONFIG' })
  })
})

describe('a WebSocket server that was left beside it', () => {
  it('serves on, and is reported instead of ending the process', async () => {
    const { errors, url } = await openApollo({
      alsoOn: (httpServer) => new WebSocketServer({ server: httpServer, path: '/graphql' }),
    })
    const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws')
    onTestFinished(() => socket.terminate())
    await once(socket, 'open')
    expect(errors).toMatchObject([{ code: 'BAD_CONFIG', message: expect.stringContaining('/graphql') as string }])
  })
})

describe('context.sluice', () => {
  it('publishes to the tenant of whoever asks, over HTTP and over a socket', async () => {
    const { active, connect, post } = await openApollo()
    const acme = connect().subscribe({ query })
    const globex = connect({ headers: { authorization: 'globex' } })
    const stranger = globex.subscribe({ query })
    await active(2)
    expect(await post({ query: 'mutation { rename(name: "by HTTP") }' })).toMatchObject({ status: 200 })
    expect(await globex.run({ query: 'mutation { rename(name: "by socket") }' })).toEqual({
      data: { rename: 'by socket' },
    })
    expect(await acme.received(1)).toEqual([{ data: { renamed: { name: 'by HTTP' } } }])
    expect(await stranger.received(1)).toEqual([{ data: { renamed: { name: 'by socket' } } }])
  })

  it('is each operation’s own, also where the application gives all of them one context object', async () => {
    const shared = Object.freeze({ identity: { authorization: undefined, connectionParams: undefined } })
    const { active, connect, publish } = await openApollo({ sluice: { context: async () => shared } })
    const subscriber = connect().subscribe({ query })
    await active(1)
    expect(await connect().run({ query: 'mutation { rename(name: "x") }' })).toEqual({ data: { rename: 'x' } })
    await publish({ name: 'y' })
    expect(await subscriber.received(2)).toHaveLength(2)
  })
})

describe('a client that sends a prototype', () => {
  for (const handsOver of [true, false]) {
    it(`is nobody the less, ${handsOver ? 'with' : 'without'} the option "server"`, async () => {
      const { connect } = await openApollo({
        handsOver,
        sluice: {
          context: async ({ connectionParams }) => ({ ...connectionParams }) as never,
          scope: (context) => (Reflect.get(context, 'user') as { tenantId: string } | undefined) ?? null,
        },
      })
      const connectionParams = JSON.parse('{"__proto__":{"user":{"tenantId":"acme"}}}') as Record<string, unknown>
      const client = connect({ connectionParams: { toJSON: () => connectionParams } })
      expect(await client.subscribe({ query }).refused()).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }])
    })
  }
})

describe('without the option "server"', () => {
  it('graphql-js runs what comes over a socket, with the same context, and internal errors are masked', async () => {
    const { active, connect, errors, subscribe } = await openApollo({ handsOver: false })
    const document = 'subscription { renamed { name broken } }'
    const subscribers = [connect().subscribe({ query: document }), subscribe(document)]
    await active(2)
    expect(await connect().run({ query: 'mutation { rename(name: "x") }' })).toEqual({ data: { rename: 'x' } })
    for (const subscriber of subscribers) {
      expect(await subscriber.received(1)).toMatchObject([
        {
          data: { renamed: { name: 'x', broken: null } },
          errors: [{ message: 'Internal server error', path: ['renamed', 'broken'] }],
        },
      ])
    }
    expect(errors).toMatchObject([{ message: secret }])
    expect(await connect().run({ query: '{ hello broken }' })).toMatchObject({
      data: { hello: 'world', broken: null },
      errors: [{ message: 'Internal server error' }],
    })
  })
})

describe('a schema that is replaced', () => {
  it('by one that cannot be served is reported, and the server goes on', async () => {
    let tell: (schema: { apiSchema: unknown; coreSupergraphSdl: string }) => void = () => {}
    const errors: unknown[] = []
    const plugin = ApolloServerPluginSluice({ context: contextOf, scope, onError: (error) => errors.push(error) })
    const first = makeExecutableSchema({ typeDefs: 'type Query { ok: Int } type Subscription { n: Int }' })
    const server = new ApolloServer({
      gateway: {
        load: async () => {
          tell({ apiSchema: first, coreSupergraphSdl: '' })
          return { executor: null }
        },
        onSchemaLoadOrUpdate(callback) {
          tell = callback as never
          return () => {}
        },
        stop: async () => {},
      },
      plugins: [plugin],
      stopOnTerminationSignals: false,
    })
    await server.start()
    onTestFinished(() => server.stop())
    const apiSchema = makeExecutableSchema({
      typeDefs: 'type Query { ok: Int } type Subscription { n: Int }',
      resolvers: { Subscription: { n: fromChannel({ channel: 'n', share: 'tenant' }) } },
    })
    tell({ apiSchema, coreSupergraphSdl: '' })
    expect(errors).toMatchObject([{ code: 'BAD_CONFIG' }])
  })
})

describe('its logger', () => {
  it('is Apollo Server’s where there is neither onError nor a logger', async () => {
    const lines: unknown[][] = []
    const quiet = (): void => {}
    const { active, connect, publish } = await openApollo({
      apollo: { logger: { debug: quiet, info: quiet, warn: quiet, error: (...line: unknown[]) => lines.push(line) } },
      sluice: {
        onError: undefined,
        eventContext: () => {
          throw new Error('no database')
        },
      },
    })
    const subscriber = connect().subscribe({ query })
    await active(1)
    await publish({ name: 'x' })
    await subscriber.received(1)
    expect(lines).toHaveLength(1)
    expect(String(lines[0]?.[0])).toContain('[sluice]')
  })
})

describe('metricsHandler', () => {
  it('serves the registry, from when it is asked for until the server stops', async () => {
    const registry = new Registry()
    const { active, connect, server, sluice, url } = await openApollo({ sluice: { metrics: { registry } } })
    connect().subscribe({ query })
    await active(1)
    const scrape = () => fetch(new URL('/metrics', url))
    const response = await scrape()
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
    expect(await response.text()).toMatch(/^graphql_subscriptions_active 1$/m)
    expect((await fetch(new URL('/metrics', url), { method: 'POST' })).status).toBe(405)
    expect(sluice.metricsHandler).toBeTypeOf('function')
    await server.stop()
    expect(await registry.metrics()).toBe('\n')
  })
})
