import { type HostedResult, type OperationHost, SluiceError } from '@sluice/core'
import { type ExecutionResult, GraphQLError } from 'graphql'
import { describe, expect, it } from 'vitest'
import { createSseEndpoint } from '../sse-endpoint.ts'
import { openStream, type RawStream } from './raw-stream.ts'
import { openService, SECRET, type Service, unsayable } from './service.ts'

const body = { query: 'whatever' }
const internal = { message: 'Internal server error', extensions: { code: 'INTERNAL_SERVER_ERROR' } }
const failedEvent = {
  errors: [{ message: 'The event could not be executed.', extensions: internal.extensions }],
  data: null,
}

/** Everything that one operation of this host is answered with. */
async function answerOf(
  runOperation: (...args: Parameters<OperationHost['runOperation']>) => unknown,
  sanitizeResult?: OperationHost['sanitizeResult'],
): Promise<{ stream: RawStream; service: Service }> {
  const host = {
    runOperation: runOperation as OperationHost['runOperation'],
    ...(sanitizeResult && { sanitizeResult }),
  }
  const service = await openService({ host })
  const stream = openStream({ url: service.url, body })
  await stream.ended
  expect(stream.events.at(-1)).toBe('event: complete\ndata:')
  expect(stream.text).not.toContain('hunter2')
  await service.idle()
  return { stream, service }
}

const secret = (): never => {
  throw new Error(SECRET)
}

const rejecting = (reason: unknown) => () => Promise.reject(reason)

describe('a host', () => {
  it.each<[string, () => unknown]>([
    ['throws', secret],
    ['rejects', () => Promise.reject(new Error(SECRET))],
    ['throws what is no error', rejecting(SECRET)],
    ['throws nothing', rejecting(undefined)],
    [
      'throws a GraphQLError that wraps another',
      () => Promise.reject(new GraphQLError(SECRET, { originalError: new Error(SECRET) })),
    ],
    ['gives nothing', () => undefined],
    ['gives null', () => null],
    ['gives a text', () => SECRET],
    ['gives an iterable that cannot be iterated', () => ({ [Symbol.asyncIterator]: secret })],
    ['gives an iterable of no iterator', () => ({ [Symbol.asyncIterator]: () => null })],
    ['gives an iterator without next', () => ({ [Symbol.asyncIterator]: () => ({}) })],
    ['gives an iterator of no results', () => ({ [Symbol.asyncIterator]: () => ({ next: () => undefined }) })],
  ])('that %s: the client is told of an internal error, and onError why', async (_, runOperation) => {
    const { stream, service } = await answerOf(runOperation)
    expect(stream.results).toEqual([{ errors: [internal] }])
    expect(service.errors.length).toBeGreaterThan(0)
  })

  it('that throws a GraphQLError tells the client of it, and nobody else', async () => {
    const { stream, service } = await answerOf(() => {
      throw new GraphQLError('not today', { extensions: { code: 'CLOSED' } })
    })
    expect(stream.results).toEqual([{ errors: [{ message: 'not today', extensions: { code: 'CLOSED' } }] }])
    expect(service.errors).toEqual([])
  })

  it('that throws a SluiceError tells the client its code, and never its cause', async () => {
    const error = new SluiceError('BUS_UNAVAILABLE', 'not now', { cause: new Error(SECRET) })
    const { stream, service } = await answerOf(() => Promise.reject(error))
    expect(stream.results).toEqual([{ errors: [{ message: 'not now', extensions: { code: 'BUS_UNAVAILABLE' } }] }])
    expect(service.errors).toEqual([error])
  })

  it('that refuses is quoted', async () => {
    const { stream, service } = await answerOf(() => [new GraphQLError('no'), new GraphQLError('and no')])
    expect(stream.results).toEqual([{ errors: [{ message: 'no' }, { message: 'and no' }] }])
    expect(service.errors).toEqual([])
  })
})

describe('a stream of a host', () => {
  const failing = (error: unknown) =>
    (async function* () {
      yield { data: { a: 1 } }
      throw error
    })()

  it('that fails ends with an internal error, and onError hears why', async () => {
    const { stream, service } = await answerOf(() => failing(new Error(SECRET)))
    expect(stream.results).toEqual([{ data: { a: 1 } }, { errors: [internal] }])
    expect(service.errors).toEqual([expect.objectContaining({ message: SECRET })])
  })

  it('that fails with a GraphQLError ends with it', async () => {
    const { stream, service } = await answerOf(() => failing(new GraphQLError('gone')))
    expect(stream.results).toEqual([{ data: { a: 1 } }, { errors: [{ message: 'gone' }] }])
    expect(service.errors).toEqual([])
  })

  it('goes on after a result that JSON cannot hold, and onError hears of it', async () => {
    const { stream, service } = await answerOf(async function* () {
      yield { data: { a: 1 } }
      yield { data: { a: 2n } }
      yield { data: { a: unsayable() } }
      yield null
      yield { toJSON: () => undefined }
      yield { data: { a: 3 } }
    })
    expect(stream.results).toEqual([
      { data: { a: 1 } },
      ...Array.from({ length: 4 }, () => failedEvent),
      { data: { a: 3 } },
    ])
    expect(service.errors).toHaveLength(4)
  })
})

describe('what JSON cannot hold', () => {
  it.each<[string, () => HostedResult]>([
    ['a single result with a BigInt', () => ({ data: { a: 1n } })],
    ['a single result whose toJSON throws', () => ({ data: { a: unsayable() } })],
    [
      'a single result that is a circle',
      () => {
        const data: Record<string, unknown> = {}
        data['data'] = data
        return { data }
      },
    ],
    ['errors with a BigInt', () => [new GraphQLError('no', { extensions: { count: 1n } })]],
  ])('such as %s is an internal error for the client', async (_, runOperation) => {
    const { stream, service } = await answerOf(runOperation)
    expect(stream.results).toEqual([{ errors: [internal] }])
    expect(service.errors).toHaveLength(1)
  })

  it('is told to everybody of a group, which goes on', async () => {
    const service = await openService()
    const query = 'subscription { odd }'
    const streams = [1, 2].map(() => openStream({ url: service.url, body: { query } }))
    for (const stream of streams) {
      await stream.ended
      expect(stream.results).toEqual([{ data: { odd: 1 } }, failedEvent, failedEvent, { data: { odd: 3 } }])
      expect(stream.text).not.toContain(SECRET)
    }
    expect(service.errors).toHaveLength(4)
    await service.idle(2)
  })
})

describe('sanitizeResult', () => {
  /** Says in each result that it went through it, and lets no message through. */
  const sanitize = ({ errors, ...result }: ExecutionResult): ExecutionResult => ({
    ...result,
    ...(errors && { errors: errors.map(() => new GraphQLError('sanitized')) }),
    extensions: { sanitized: true },
  })
  const extensions = { sanitized: true }
  const errors = [{ message: 'sanitized' }]

  it.each<[string, () => unknown, object[]]>([
    ['a single result', () => ({ data: { a: 1 } }), [{ data: { a: 1 }, extensions }]],
    [
      'a single result with errors',
      () => ({ data: null, errors: [new GraphQLError(SECRET)] }),
      [{ data: null, errors, extensions }],
    ],
    ['a refusal', () => [new GraphQLError(SECRET)], [{ errors, extensions }]],
    ['a GraphQLError that was thrown', () => Promise.reject(new GraphQLError(SECRET)), [{ errors, extensions }]],
    ['a failure', secret, [{ errors, extensions }]],
    [
      'each result of a stream, and its failure',
      async function* () {
        yield { data: { a: 1 } }
        yield { data: { a: 2 }, errors: [new GraphQLError(SECRET)] }
        throw new GraphQLError(SECRET)
      },
      [
        { data: { a: 1 }, extensions },
        { data: { a: 2 }, errors, extensions },
        { errors, extensions },
      ],
    ],
  ])('is asked about %s', async (_, runOperation, results) => {
    const { stream } = await answerOf(runOperation, sanitize)
    expect(stream.results).toEqual(results)
  })

  it.each<[string, OperationHost['sanitizeResult']]>([
    ['throws', secret],
    ['gives nothing', () => undefined as never],
    ['gives a text', () => SECRET as never],
    ['gives what JSON cannot hold', () => ({ data: { a: 1n } })],
  ])('that %s lets nothing through', async (_, sanitizeResult) => {
    for (const runOperation of [
      () => ({ data: { a: SECRET } }),
      () => [new GraphQLError(SECRET)],
      () => Promise.reject(new GraphQLError(SECRET)),
      secret,
    ]) {
      const { stream, service } = await answerOf(runOperation, sanitizeResult)
      expect(stream.results).toEqual([{ errors: [internal] }])
      expect(service.errors.length).toBeGreaterThan(0)
    }
    const { stream } = await answerOf(async function* () {
      yield { data: { a: SECRET } }
      yield { data: { a: SECRET } }
    }, sanitizeResult)
    expect(stream.results).toEqual([failedEvent, failedEvent])
  })

  it('that throws lets nothing of a group through either, and is asked once for all', async () => {
    let asked = 0
    const service: Service = await openService({
      host: {
        runOperation: ({ params: { query } }) => service.executor.subscribe(service.argsOf(query)),
        sanitizeResult() {
          asked += 1
          throw new Error(SECRET)
        },
      },
    })
    const streams = [1, 2, 3].map(() =>
      openStream({ url: service.url, body: { query: 'subscription { news(topic: "a") { text broken } }' } }),
    )
    await service.active(3)
    await service.publish('a', { text: 'x' })
    for (const stream of streams) {
      await stream.has(1)
      expect(stream.results).toEqual([failedEvent])
    }
    expect([asked, service.errors.length]).toEqual([1, 1])
  })
})

describe('errors that are no GraphQLErrors', () => {
  it('say what the specification lets them say, and nothing that a driver attached', async () => {
    const error = Object.assign(new Error('duplicate key'), {
      detail: SECRET,
      path: ['a'],
      locations: [{ line: 1, column: 1 }],
      extensions: { code: 'CONFLICT' },
    })
    const plain = { message: 'plain', extensions: { code: 'PLAIN' } }
    const results = [{ data: null, errors: [error, plain, new GraphQLError('ours')] }]
    const said = [
      { message: 'duplicate key', locations: error.locations, path: ['a'], extensions: { code: 'CONFLICT' } },
      plain,
      { message: 'ours' },
    ]
    const single = await answerOf(() => results[0])
    expect(single.stream.results).toEqual([{ data: null, errors: said }])
    const streamed = await answerOf(async function* () {
      yield* results
    })
    expect(streamed.stream.results).toEqual([{ data: null, errors: said }])
    expect(results[0]?.errors[0]).toBe(error)
  })
})

describe('the schema as a host', () => {
  it.each([
    [
      '{ broken }',
      { data: { broken: null }, errors: [{ ...internal, locations: [{ line: 1, column: 3 }], path: ['broken'] }] },
    ],
    [
      '{ refused }',
      {
        data: { refused: null },
        errors: [
          {
            message: 'Not for you',
            locations: [{ line: 1, column: 3 }],
            path: ['refused'],
            extensions: { code: 'REFUSED' },
          },
        ],
      },
    ],
  ])('masks what resolvers throw in %s, unless it was meant for the client', async (query, result) => {
    const service = await openService()
    const stream = openStream({ url: service.url, body: { query } })
    await stream.ended
    expect(stream.results).toEqual([result])
  })

  it('masks what the context throws', async () => {
    const service = await openService()
    const endpoint = createSseEndpoint({ executor: service.executor, schema: service.schema, context: secret })
    service.server.removeAllListeners('request').on('request', endpoint.handler)
    const stream = openStream({ url: service.url, body: { query: '{ hello }' } })
    await stream.ended
    expect(stream.results).toEqual([{ errors: [internal] }])
    expect(service.errors).toEqual([expect.objectContaining({ message: SECRET })])
  })

  it.each([
    [false, { errors: [internal] }],
    [true, { errors: [{ message: 'gone', extensions: { code: 'GONE' } }] }],
  ])('masks what the source of a subscription throws, unless it was meant for the client: %j', async (mine, last) => {
    const service = await openService()
    const stream = openStream({ url: service.url, body: { query: `subscription { failing(mine: ${mine}) }` } })
    await stream.ended
    expect(stream.results).toEqual([{ data: { failing: 1 } }, last])
    expect(service.executor.metrics().subscriptions.ended.byReason).toEqual({ source: 1 })
  })

  it('refuses with UNAUTHENTICATED who is nobody', async () => {
    const service = await openService({ executor: { scope: () => null } })
    const stream = openStream({ url: service.url, body: { query: 'subscription { silence }' } })
    await stream.ended
    expect(stream.results).toMatchObject([{ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] }])
    expect(service.executor.metrics().subscriptions).toMatchObject({
      total: 0,
      refused: { byCode: { UNAUTHENTICATED: 1 } },
    })
  })
})
