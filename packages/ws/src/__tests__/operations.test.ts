import { GraphQLError, parse, subscribe } from 'graphql'
import { createClient } from 'graphql-ws'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { answersTo } from './answers-to.ts'
import { rawClient } from './raw-client.ts'
import { type Hooks, openService } from './service.ts'
import { until } from './until.ts'

const NEWS = 'subscription ($topic: String!) { news(topic: $topic) { text } }'
const NUMBERS = 'subscription ($to: Int!) { numbers(to: $to) }'

describe('operations over the socket', () => {
  it('run queries', async () => {
    const { messages } = await answersTo('{ hello }')

    expect(messages).toEqual([
      { id: '1', type: 'next', payload: { data: { hello: 'world' } } },
      { id: '1', type: 'complete' },
    ])
  })

  it('run mutations', async () => {
    const { messages } = await answersTo('mutation ($n: Int!) { add(left: $n, right: 2) }', {}, { n: 40 })

    expect(messages).toEqual([
      { id: '1', type: 'next', payload: { data: { add: 42 } } },
      { id: '1', type: 'complete' },
    ])
  })

  it('send the errors of resolvers with the data', async () => {
    const { messages } = await answersTo('{ hello broken }')

    expect(messages).toMatchObject([
      {
        type: 'next',
        payload: {
          data: { hello: 'world', broken: null },
          errors: [{ message: 'out of order', path: ['broken'], extensions: { code: 'BROKEN' } }],
        },
      },
      { type: 'complete' },
    ])
  })

  it('pull what is not of a channel', async () => {
    const { messages } = await answersTo(NUMBERS, {}, { to: 3 })

    expect(messages).toEqual([
      { id: '1', type: 'next', payload: { data: { numbers: 1 } } },
      { id: '1', type: 'next', payload: { data: { numbers: 2 } } },
      { id: '1', type: 'next', payload: { data: { numbers: 3 } } },
      { id: '1', type: 'complete' },
    ])
  })

  it.each([
    ['does not parse', '{', /^Syntax Error/],
    ['does not validate', '{ nothing }', /^Cannot query field "nothing"/],
    [
      'names no operation',
      'fragment F on Query { hello } query Q { ...F } query R { ...F }',
      /^Unable to identify operation$/,
    ],
  ])('answer a query that %s with its errors', async (_, query, message) => {
    const { messages, errors } = await answersTo(query)

    expect(messages).toMatchObject([{ id: '1', type: 'error', payload: [{ message: expect.stringMatching(message) }] }])
    expect(errors).toEqual([])
  })

  it('answer a wrong operation name, and variables that do not fit, with errors', async () => {
    await using service = await openService()
    const client = await rawClient(service.url)
    client.send({ id: '1', type: 'subscribe', payload: { query: 'query A { hello }', operationName: 'B' } })
    client.subscribe('2', NUMBERS, { to: 'three' })
    await client.has(3)

    expect(client.messages.filter(({ id }) => id === '1')).toMatchObject([
      { type: 'error', payload: [{ message: 'Unable to identify operation' }] },
    ])
    expect(client.messages.filter(({ id }) => id === '2')).toMatchObject([
      { type: 'next', payload: { errors: [{ message: expect.stringContaining('$to') }] } },
      { type: 'complete' },
    ])
  })

  it('refuse a subscription of nobody with UNAUTHENTICATED', async () => {
    const { messages } = await answersTo(NEWS, { context: {} }, { topic: 'a' })

    expect(messages).toMatchObject([
      { type: 'next', payload: { errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] } },
      { type: 'complete' },
    ])
  })

  it('tell the client of graphql-ws the code of an error that ends a stream', async () => {
    await using service = await openService()
    const client = createClient({ url: service.url, webSocketImpl: WebSocket, retryAttempts: 0 })
    const results = client.iterate({ query: 'subscription { failing(mine: true) }' })

    expect(await results.next()).toMatchObject({ value: { data: { failing: 1 } } })
    await expect(results.next()).rejects.toMatchObject([{ message: 'gone', extensions: { code: 'GONE' } }])
    await client.dispose()
  })

  it('do not tell a client what a foreign source failed of', async () => {
    const { messages, errors } = await answersTo('subscription { failing }')

    expect(messages[1]).toEqual({
      id: '1',
      type: 'error',
      payload: [{ message: 'Internal server error', extensions: { code: 'INTERNAL_SERVER_ERROR' } }],
    })
    expect(errors).toMatchObject([{ message: 'password=hunter2' }])
  })
})

describe('the hooks of graphql-ws', () => {
  it('are called in order, with what graphql-ws gives them', async () => {
    const calls: unknown[][] = []
    const { messages } = await answersTo(
      NUMBERS,
      {
        onConnect: (ctx) => void calls.push(['onConnect', ctx.acknowledged]),
        onSubscribe: (_, id, payload) => void calls.push(['onSubscribe', id, payload.query]),
        context: (_, id, payload, args) => {
          calls.push(['context', id, payload.query, args.variableValues])
          return { tenantId: 'acme' }
        },
        onOperation: (_, id, payload, args, result) =>
          void calls.push(['onOperation', id, payload.query, args.contextValue, Symbol.asyncIterator in result]),
        onNext: (_, id, payload, args, result) =>
          void calls.push(['onNext', id, payload.query, args.contextValue, result]),
        onComplete: (_, id, payload) => void calls.push(['onComplete', id, payload.query]),
      },
      { to: 2 },
    )

    const context = { tenantId: 'acme' }
    expect(calls).toEqual([
      ['onConnect', false],
      ['onSubscribe', '1', NUMBERS],
      ['context', '1', NUMBERS, { to: 2 }],
      ['onOperation', '1', NUMBERS, context, true],
      ['onNext', '1', NUMBERS, context, { data: { numbers: 1 } }],
      ['onNext', '1', NUMBERS, context, { data: { numbers: 2 } }],
      ['onComplete', '1', NUMBERS],
    ])
    expect(messages).toHaveLength(3)
  })

  it('call onComplete when the client completes, and before onDisconnect when its socket closes', async () => {
    const calls: string[] = []
    await using service = await openService({
      hooks: {
        onComplete: async (_, id) => {
          await new Promise((resolve) => setImmediate(resolve))
          calls.push(`complete ${id}`)
        },
        onDisconnect: () => void calls.push('disconnect'),
        onClose: () => void calls.push('close'),
      },
    })
    const client = await rawClient(service.url)
    client.subscribe('1', NEWS, { topic: 'a' })
    client.subscribe('2', NEWS, { topic: 'a' })
    await until(() => service.activeCount() === 2)

    client.send({ id: '1', type: 'complete' })
    await until(() => calls.length === 1)
    client.socket.close()
    await until(() => calls.length === 4)

    expect(calls).toEqual(['complete 1', 'complete 2', 'disconnect', 'close'])
  })

  it('call onOperation and onComplete, both, for an operation that was completed while it started', async () => {
    const calls: string[] = []
    await using service = await openService({
      hooks: {
        onOperation: () => void calls.push('operation'),
        onComplete: () => void calls.push('complete'),
      },
    })
    const client = await rawClient(service.url)
    client.subscribe('1', 'subscription ($topic: String!) { gated(topic: $topic) { text } }', { topic: 'a' })
    await until(() => service.gates.length === 1)
    client.send({ id: '1', type: 'complete' }, { type: 'ping' })
    await client.has(1)
    expect(calls).toEqual([])

    service.gates[0]?.open()
    await until(() => calls.length === 2)

    expect(calls).toEqual(['operation', 'complete'])
    await until(() => service.activeCount() === 0)
  })

  it('find the operations in the context, and can end them: the client is told', async () => {
    const contexts: Parameters<NonNullable<Hooks['onConnect']>>[0][] = []
    await using service = await openService({ hooks: { onConnect: (ctx) => void contexts.push(ctx) } })
    const client = await rawClient(service.url)
    client.subscribe('1', NEWS, { topic: 'a' })
    await until(() => service.activeCount() === 1)

    const stream = contexts[0]?.subscriptions['1'] as AsyncGenerator
    await stream.return(undefined)
    await client.has(1)

    expect(client.messages).toEqual([{ id: '1', type: 'complete' }])
    expect(service.activeCount()).toBe(0)
    expect(Object.keys(contexts[0]?.subscriptions ?? {})).toEqual([])
  })

  it('see and replace every result of a channel in onNext, each for its subscriber', async () => {
    await using service = await openService({
      hooks: {
        onNext: (_, id, __, ___, result) =>
          ({ ...result, extensions: { id } }) as ReturnType<NonNullable<Hooks['onNext']>> & object,
      },
    })
    const client = await rawClient(service.url)
    client.subscribe('1', NEWS, { topic: 'a' })
    client.subscribe('2', NEWS, { topic: 'a' })
    await until(() => service.activeCount() === 2)

    await service.publish('a', { text: 'x' })
    await client.has(2)

    expect(client.messages).toEqual([
      { id: '1', type: 'next', payload: { data: { news: { text: 'x' } }, extensions: { id: '1' } } },
      { id: '2', type: 'next', payload: { data: { news: { text: 'x' } }, extensions: { id: '2' } } },
    ])
    expect(service.executor.metrics().executions).toBe(1)
  })

  it('see every message in jsonMessageReplacer', async () => {
    await using service = await openService({
      hooks: { jsonMessageReplacer: (key, value: unknown) => (key === 'text' ? `<${String(value)}>` : value) },
    })
    const client = await rawClient(service.url)
    client.subscribe('1', NEWS, { topic: 'a' })
    await until(() => service.activeCount() === 1)

    await service.publish('a', { text: 'x' })
    await client.has(1)

    expect(client.messages).toEqual([{ id: '1', type: 'next', payload: { data: { news: { text: '<x>' } } } }])
  })

  it('can wrap the stream in onOperation; what it lets through untouched is sent as the shared bytes', async () => {
    await using service = await openService({
      hooks: {
        onOperation: (_, __, ___, ____, result) => {
          if (!(Symbol.asyncIterator in result)) return undefined
          const stream = result as AsyncIterable<{ data?: Record<string, unknown> }>
          return (async function* () {
            yield* stream
          })() as AsyncGenerator<never>
        },
      },
    })
    const clients = await Promise.all(Array.from({ length: 5 }, () => rawClient(service.url)))
    for (const client of clients) client.subscribe('1', NEWS, { topic: 'a' })
    await until(() => service.activeCount() === 5)

    await service.publish('a', { text: 'x' })

    for (const client of clients) {
      await client.has(1)
      expect(client.texts).toEqual(['{"id":"1","type":"next","payload":{"data":{"news":{"text":"x"}}}}'])
    }
    expect(service.executor.metrics()).toMatchObject({ executions: 1, serializations: 1 })
    for (const client of clients) client.send({ id: '1', type: 'complete' })
    await until(() => service.activeCount() === 0)
  })

  it('can replace the result in onOperation; the stream before it is released', async () => {
    await using service = await openService({ hooks: { onOperation: () => ({ data: { replaced: true } }) } })
    const client = await rawClient(service.url)
    client.subscribe('1', NEWS, { topic: 'a' })
    await client.has(2)

    expect(client.messages).toMatchObject([{ payload: { data: { replaced: true } } }, { type: 'complete' }])
    expect(service.executor.metrics().subscriptions).toMatchObject({ total: 1, active: 0 })
  })

  it('can give the execution arguments, or errors, in onSubscribe', async () => {
    await using service = await openService({
      hooks: {
        schema: undefined,
        onSubscribe: (_, id) =>
          id === '1' ? { schema: service.schema, document: parse('{ hello }') } : [new GraphQLError('not you')],
      },
    })
    const client = await rawClient(service.url)
    client.subscribe('1', 'persisted')
    client.subscribe('2', 'persisted')
    await client.has(3)

    expect(client.messages.filter(({ id }) => id === '1')).toMatchObject([
      { payload: { data: { hello: 'world' } } },
      { type: 'complete' },
    ])
    expect(client.messages.filter(({ id }) => id === '2')).toMatchObject([
      { type: 'error', payload: [{ message: 'not you' }] },
    ])
  })

  it('can format errors in onError', async () => {
    const seen: string[] = []
    const { messages } = await answersTo('{ nothing }', {
      onError: (_, id, __, [error]) => {
        seen.push(`${id} ${error?.message}`)
        return [{ message: 'formatted' }]
      },
    })

    expect(seen).toEqual([expect.stringContaining('1 Cannot query field')])
    expect(messages).toEqual([{ id: '1', type: 'error', payload: [{ message: 'formatted' }] }])
  })

  it('can give a schema for each operation, a parser, and rules', async () => {
    const { messages } = await answersTo('anything', {
      parse: () => parse('{ hello }'),
      validate: () => [],
    })
    expect(messages).toMatchObject([{ payload: { data: { hello: 'world' } } }, { type: 'complete' }])

    const refused = await answersTo('{ hello }', { validate: () => [new GraphQLError('no queries today')] })
    expect(refused.messages).toMatchObject([{ type: 'error', payload: [{ message: 'no queries today' }] }])
  })

  it('can have roots, and an execute of their own', async () => {
    const { messages } = await answersTo('{ hello }', {
      roots: { query: { hello: () => 'root' } },
      execute: ({ rootValue }) => ({ data: { keys: Object.keys(rootValue as object) } }),
    })

    expect(messages).toMatchObject([{ payload: { data: { keys: ['hello'] } } }, { type: 'complete' }])
  })
})

describe('a subscribe of the application', () => {
  it.each([
    ['with the arguments as they are', (args: object) => args],
    ['with a copy of them', (args: object) => ({ ...args, operationName: undefined })],
  ])('may call the executor %s', async (_, change) => {
    await using service = await openService({
      hooks: (executor) => ({ subscribe: (args) => executor.subscribe(change(args) as typeof args) }),
    })
    const client = await rawClient(service.url)
    client.subscribe('1', NEWS, { topic: 'a' })
    await until(() => service.activeCount() === 1)
    await service.publish('a', { text: 'x' })

    expect(await client.has(1)).toMatchObject([{ type: 'next', payload: { data: { news: { text: 'x' } } } }])
  })

  it('cannot go round the scope', async () => {
    const { messages, errors } = await answersTo(NUMBERS, { subscribe }, { to: 3 })

    expect(messages).toMatchObject([
      {
        type: 'next',
        payload: { errors: [{ message: expect.stringContaining('"subscribe"'), extensions: { code: 'BAD_CONFIG' } }] },
      },
      { type: 'complete' },
    ])
    expect(errors).toMatchObject([{ code: 'BAD_CONFIG' }])
  })
})

describe('what a hook throws', () => {
  const secret = () => {
    throw new Error('password=hunter2')
  }
  const later = async () => {
    await Promise.resolve()
    throw new Error('password=hunter2')
  }

  it.each<[string, Hooks]>([
    ['context', { context: secret }],
    ['context, later', { context: later }],
    ['schema', { schema: secret }],
    ['onSubscribe', { onSubscribe: later }],
    ['onSubscribe that gives nonsense', { onSubscribe: () => ['nonsense'] as unknown as GraphQLError[] }],
    ['parse', { parse: secret }],
    ['validate', { validate: secret }],
    ['subscribe', { subscribe: secret }],
    ['subscribe, later', { subscribe: later }],
    ['onOperation', { onOperation: later }],
    ['onNext', { onNext: later }],
    ['onError', { context: later, onError: later }],
  ])('ends its operation with an error that says nothing (%s)', async (_, hooks) => {
    await using service = await openService({ hooks })
    const client = await rawClient(service.url)
    client.subscribe('1', NUMBERS, { to: 3 })
    await client.has(1)

    expect(client.texts.join()).not.toContain('hunter2')
    expect(client.messages).toMatchObject([{ id: '1', type: 'error' }])
    expect(service.errors.length).toBeGreaterThan(0)
    await until(() => service.activeCount() === 0)
    // The others on the socket go on.
    client.send({ type: 'ping' })
    expect(await client.has(2)).toMatchObject([{}, { type: 'pong' }])
  })

  it('is reported, and changes nothing, if it is onComplete', async () => {
    const { messages, errors } = await answersTo('{ hello }', { onComplete: later })

    expect(messages).toMatchObject([{ type: 'next' }, { type: 'complete' }])
    expect(errors).toMatchObject([{ message: 'password=hunter2' }])
  })

  it('reaches the client if it is a GraphQLError', async () => {
    const { messages, errors } = await answersTo('{ hello }', {
      context: () => {
        throw new GraphQLError('Log in first', { extensions: { code: 'UNAUTHENTICATED' } })
      },
    })

    expect(messages).toMatchObject([
      { type: 'error', payload: [{ message: 'Log in first', extensions: { code: 'UNAUTHENTICATED' } }] },
    ])
    expect(errors).toEqual([])
  })

  it('does not reach the client if it is a GraphQLError round something else', async () => {
    const { messages } = await answersTo('{ hello }', {
      context: () => {
        throw new GraphQLError('password=hunter2', { originalError: new Error('password=hunter2') })
      },
    })

    expect(JSON.stringify(messages)).not.toContain('hunter2')
  })

  it.each<[string, Hooks]>([
    ['onConnect', { onConnect: secret }],
    ['onConnect, later', { onConnect: later }],
    ['onPing', { onPing: later }],
    ['onPong', { onPong: secret }],
  ])('closes the socket with 4500 and a reason that says nothing (%s)', async (_, hooks) => {
    await using service = await openService({ hooks })
    const client = await rawClient(service.url, { init: false })
    client.send({ type: 'connection_init' }, { type: 'ping' }, { type: 'pong' })

    expect(await client.closed).toEqual({ code: 4500, reason: 'Internal server error' })
    expect(service.errors).toMatchObject([{ message: 'password=hunter2' }])
  })

  it('tells the reason of a GraphQLError in onConnect', async () => {
    await using service = await openService({
      hooks: {
        onConnect: () => {
          throw new GraphQLError('Your token expired')
        },
      },
    })
    const client = await rawClient(service.url, { init: false })
    client.send({ type: 'connection_init' })

    expect(await client.closed).toEqual({ code: 4500, reason: 'Your token expired' })
  })

  it.each<[string, Hooks]>([
    ['onDisconnect', { onDisconnect: later }],
    ['onClose', { onClose: secret }],
  ])('is reported when the socket is gone (%s)', async (_, hooks) => {
    await using service = await openService({ hooks })
    const client = await rawClient(service.url)
    client.socket.close()
    await until(() => service.errors.length === 1)

    expect(service.errors).toMatchObject([{ message: 'password=hunter2' }])
  })

  it('refuses the socket with 4403 if onConnect says false, and greets with its payload otherwise', async () => {
    await using refusing = await openService({ hooks: { onConnect: () => false } })
    const refused = await rawClient(refusing.url, { init: false })
    refused.send({ type: 'connection_init' })
    expect(await refused.closed).toMatchObject({ code: 4403 })

    await using greeting = await openService({ hooks: { onConnect: () => ({ hello: 'you' }) } })
    const greeted = await rawClient(greeting.url, { init: false })
    greeted.send({ type: 'connection_init' })
    expect(await greeted.has(1)).toEqual([{ type: 'connection_ack', payload: { hello: 'you' } }])
  })
})
