import { fromChannel } from '@sluice/core'
import { until } from '@sluice/testkit'
import { createSchema, type Plugin } from 'graphql-yoga'
import { describe, expect, it } from 'vitest'
import type { SluiceInitialContext } from '../index.ts'
import { openYoga, transports } from './open-yoga.ts'

const schema = createSchema({
  typeDefs:
    'type Query { hello: String } type Mutation { add: Int } type Subscription { news: News } type News { cookie: String }',
  resolvers: {
    Query: { hello: () => 'world' },
    Mutation: { add: () => 1 },
    Subscription: { news: fromChannel({ channel: 'news' }) },
    News: { cookie: (_news, _args, { request }: SluiceInitialContext) => request.headers.get('cookie') },
  },
})
const headers = { authorization: 'Bearer acme', cookie: 'session=1; theme=dark', 'x-forwarded-for': '192.0.2.1' }
const scope = ({ request }: SluiceInitialContext) => ({
  tenantId: request.headers.get('authorization')?.replace('Bearer ', '') ?? '',
})

describe('the context of an operation', () => {
  for (const transport of transports) {
    it(`has the request with its headers and cookies over ${transport}, for scope and resolvers alike`, async () => {
      const { sluice, subscribe } = await openYoga({ sluice: { scope }, schema, headers })
      const subscriber = subscribe(transport, 'subscription { news { cookie } }')
      await until(() => sluice.executor.metrics().subscriptions.active === 1, 'it runs')
      await sluice.executor.publish({ tenantId: 'acme', channel: 'news', type: 'news', data: {} })
      expect(await subscriber.received(1)).toEqual([{ data: { news: { cookie: headers.cookie } } }])
    })
  }

  it('has request, params, connectionParams, req and socket over WebSocket, anew for each operation', async () => {
    const contexts: (SluiceInitialContext & { seen?: boolean })[] = []
    const others: unknown[] = []
    const remember: Plugin = {
      onContextBuilding: ({ context, extendContext }) => {
        contexts.push(context)
        others.push('seen' in context)
        extendContext({ seen: true } as never)
      },
    }
    const { connect, address } = await openYoga({ sluice: { scope }, schema, headers, plugins: [remember] })
    const client = connect({ locale: 'de' })
    expect(
      await client.run({ query: 'query Hello { hello }', operationName: 'Hello', extensions: { trace: 1 } }),
    ).toEqual({ data: { hello: 'world' } })
    expect(await client.run({ query: 'mutation { add }' })).toEqual({ data: { add: 1 } })
    const [query, mutation] = contexts
    expect(query?.params).toMatchObject({
      query: 'query Hello { hello }',
      operationName: 'Hello',
      extensions: { trace: 1 },
    })
    expect(mutation?.params).toMatchObject({ query: 'mutation { add }' })
    for (const context of contexts) {
      expect(context.request.url).toBe(`http://${address}`)
      expect(context.request.headers.get('x-forwarded-for')).toBe('192.0.2.1')
      expect(context.request.headers.has('sec-websocket-key')).toBe(false)
      expect(context.connectionParams).toEqual({ locale: 'de' })
      expect(context.req?.headers.cookie).toBe(headers.cookie)
      expect(context.socket?.readyState).toBe(1)
    }
    expect(query).not.toBe(mutation)
    expect(query?.socket).toBe(mutation?.socket)
    expect(others).toEqual([false, false])
  })

  it('is built by the hooks of other plugins, which run in their order for each operation over WebSocket', async () => {
    const calls: string[] = []
    const hooks: Plugin = {
      onParams: () => void calls.push('onParams'),
      onParse: () => void calls.push('onParse'),
      onValidate: () => void calls.push('onValidate'),
      onContextBuilding: () => void calls.push('onContextBuilding'),
      onExecute: () => void calls.push('onExecute'),
      onSubscribe: () => void calls.push('onSubscribe'),
      onExecutionResult: () => void calls.push('onExecutionResult'),
    }
    const { connect, sluice } = await openYoga({ sluice: { scope }, schema, headers, plugins: [hooks] })
    const client = connect()
    await client.run({ query: '{ hello }' })
    expect(calls).toEqual(['onParams', 'onParse', 'onValidate', 'onContextBuilding', 'onExecute', 'onExecutionResult'])
    calls.length = 0
    const subscriber = client.subscribe({ query: 'subscription { news { cookie } }' })
    await until(() => sluice.executor.metrics().subscriptions.active === 1, 'it runs')
    await sluice.executor.publish({ tenantId: 'acme', channel: 'news', type: 'news', data: {} })
    await subscriber.received(1)
    expect(calls).toEqual([
      'onParams',
      'onParse',
      'onValidate',
      'onContextBuilding',
      'onSubscribe',
      'onExecutionResult',
    ])
  })
})

describe('a schema that Yoga is given as', () => {
  const given = {
    'a promise': Promise.resolve(schema),
    'a function': () => schema,
    'an asynchronous function': async () => schema,
  }
  for (const [what, value] of Object.entries(given)) {
    for (const transport of transports) {
      it(`${what} serves ${transport} from the first operation on`, async () => {
        const { sluice, subscribe } = await openYoga({ sluice: { scope }, schema: value, headers })
        const subscriber = subscribe(transport, 'subscription { news { cookie } }')
        await until(
          () => subscriber.end !== undefined || sluice.executor.metrics().subscriptions.active === 1,
          'it runs',
        )
        await sluice.executor.publish({ tenantId: 'acme', channel: 'news', type: 'news', data: {} })
        expect(await subscriber.received(1)).toEqual([{ data: { news: { cookie: headers.cookie } } }])
      })
    }
  }
})
