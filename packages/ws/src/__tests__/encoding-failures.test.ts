import { makeExecutableSchema } from '@graphql-tools/schema'
import { GraphQLError } from 'graphql'
import { describe, expect, it } from 'vitest'
import { answersTo } from './answers-to.ts'
import { rawClient } from './raw-client.ts'
import { type Hooks, openService } from './service.ts'
import { until } from './until.ts'

const NEWS = 'subscription ($topic: String!) { news(topic: $topic) { text } }'
const NUMBERS = 'subscription ($to: Int!) { numbers(to: $to) }'

describe('what JSON cannot hold', () => {
  const circular: Record<string, unknown> = {}
  circular['self'] = circular
  const failWith = (extensions: Record<string, unknown>) => () => {
    throw new GraphQLError('x', { extensions })
  }
  const brokenSource = () => ({
    [Symbol.asyncIterator]: () => ({ next: async () => failWith({ id: 10n })() }),
  })
  const resolvers = (subscribe: () => unknown) => ({
    schema: makeExecutableSchema({
      typeDefs: 'type Query { hello: String } type Subscription { numbers(to: Int!): Int }',
      resolvers: { Subscription: { numbers: { subscribe } } },
    }),
  })
  const generic = { message: 'Internal server error', extensions: { code: 'INTERNAL_SERVER_ERROR' } }

  it.each<[string, Hooks]>([
    ['a BigInt, thrown by a source', resolvers(brokenSource)],
    ['a BigInt, thrown by a subscribe resolver', resolvers(failWith({ id: 10n }))],
    ['a circle, thrown by the context function', { context: failWith({ circular }) }],
    ['a BigInt, thrown by onNext', { onNext: failWith({ id: 10n }) }],
    [
      'a circle, among the errors of onSubscribe',
      { onSubscribe: () => [new GraphQLError('x', { extensions: circular })] },
    ],
    [
      'a BigInt, given by onError',
      { validate: () => [new GraphQLError('x')], onError: () => [{ message: 'x', extensions: { id: 10n } }] },
    ],
    ['no array, given by onError', { validate: () => [new GraphQLError('x')], onError: () => 'x' as never }],
  ])('ends its operation with an error that says nothing, and is reported (%s)', async (_, hooks) => {
    await using service = await openService({ hooks })
    const client = await rawClient(service.url)
    client.subscribe('1', NUMBERS, { to: 3 })
    await client.has(1)

    expect(client.messages).toEqual([{ id: '1', type: 'error', payload: [generic] }])
    expect(service.errors).toMatchObject([{ name: 'TypeError' }])
    // The id is free again, and the others on the socket go on.
    client.subscribe('1', NUMBERS, { to: 3 })
    client.send({ type: 'ping' })
    await client.has(3)
    expect(client.messages.map(({ type }) => type).toSorted()).toEqual(['error', 'error', 'pong'])
  })
})

describe('a jsonMessageReplacer that fails', () => {
  const failsFor = (type: string) => ({
    jsonMessageReplacer: (_: string, value: unknown) => {
      if (value === type) throw new Error('password=hunter2')
      return value
    },
  })

  it.each<[string, Hooks]>([
    ['at once', {}],
    ['after onComplete', { onComplete: () => Promise.resolve() }],
  ])('for complete is reported, and complete is sent without it (%s)', async (_, hooks) => {
    const { messages, errors } = await answersTo(NUMBERS, { ...failsFor('complete'), ...hooks }, { to: 1 })

    expect(messages).toEqual([
      { id: '1', type: 'next', payload: { data: { numbers: 1 } } },
      { id: '1', type: 'complete' },
    ])
    expect(errors).toMatchObject([{ message: 'password=hunter2' }])
  })

  it('for error is reported, and an error that says nothing is sent without it', async () => {
    const { messages, errors } = await answersTo('{ nothing }', failsFor('error'))

    expect(messages).toMatchObject([{ id: '1', type: 'error', payload: [{ message: 'Internal server error' }] }])
    expect(errors).toMatchObject([{ message: 'password=hunter2' }])
  })

  it('for next ends the operation with an error', async () => {
    const { messages, errors } = await answersTo(NUMBERS, failsFor('next'), { to: 3 })

    expect(messages).toMatchObject([{ id: '1', type: 'error', payload: [{ message: 'Internal server error' }] }])
    expect(errors).toMatchObject([{ message: 'password=hunter2' }])
  })

  it('because it lets nothing through is reported, and the client hears the end all the same', async () => {
    const { messages, errors } = await answersTo(NUMBERS, {
      jsonMessageReplacer: (_, value: unknown) =>
        typeof value === 'object' && value !== null && 'id' in value ? undefined : value,
    })

    expect(messages).toMatchObject([{ id: '1', type: 'error', payload: [{ message: 'Internal server error' }] }])
    expect(errors.length).toBeGreaterThan(0)
  })

  it('does not keep a server from closing', async () => {
    await using service = await openService({ attach: {}, hooks: failsFor('complete') })
    const client = await rawClient(service.url)
    client.subscribe('1', NEWS, { topic: 'a' })
    await until(() => service.activeCount() === 1)

    await service.attached?.dispose()

    expect(await client.closed).toMatchObject({ code: 1001 })
    expect(client.messages).toEqual([{ id: '1', type: 'complete' }])
    expect(service.errors).toMatchObject([{ message: 'password=hunter2' }])
  })
})
