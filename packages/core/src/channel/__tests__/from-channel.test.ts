import { type GraphQLResolveInfo, parse, subscribe } from 'graphql'
import { expect, test, vi } from 'vitest'
import { alice, bob, codesOf, schemaOf, serve, take, type Viewer } from '../../__tests__/service.ts'
import { SHARED } from '../../bus/channel-key.ts'
import type { ResponseStream } from '../../delivery/response-stream.ts'
import type { Untyped } from '../../register.ts'
import { fromChannel } from '../from-channel.ts'

const query = 'subscription { changed }'

test('plain graphql-js without an executor answers BAD_CONFIG and says what to add', async () => {
  const channel = vi.fn(() => 'c')
  const schema = schemaOf('changed: Json', { changed: fromChannel({ channel }) })
  const outcome = (await subscribe({ schema, document: parse(query) })) as ResponseStream
  expect(codesOf(outcome)).toEqual(['BAD_CONFIG'])
  expect(outcome).toMatchObject({ errors: [{ message: expect.stringMatching(/useSluice\(\).*executor\.subscribe/) }] })
  expect(channel).not.toHaveBeenCalled()
})

test('plain graphql-js beside an executor gets round the scope to nothing but BAD_CONFIG', async () => {
  const schema = schemaOf('changed: Json', { changed: fromChannel({ channel: 'c' }) })
  const { publish, executor, bus } = serve(schema)
  const stream = (await subscribe({
    schema,
    document: parse(query),
    contextValue: { viewer: alice },
  })) as ResponseStream
  await publish('c', 'secret')
  await expect(stream.next()).rejects.toMatchObject({ extensions: { code: 'BAD_CONFIG' }, originalError: undefined })
  expect(executor.metrics().subscriptions.total).toBe(0)
  expect(bus.stats().listenerCount).toBe(0)
})

test('the channel comes from the coerced arguments and the context, synchronously or not', async () => {
  const channel = vi.fn(async ({ id }: Untyped, { prefix }: Untyped) => `${prefix}:${id}`)
  const schema = schemaOf('changed(id: Int = 7): Json', { changed: fromChannel({ channel }) })
  const { subscribe: open, publish } = serve(schema)
  const stream = await open(query, alice, { context: { prefix: 'order' } })
  await publish('order:8', 'other')
  await publish('order:7', 'mine')
  expect(await take(stream)).toEqual({ data: { changed: 'mine' } })
})

test('several channels, also the same one twice, are one subscription', async () => {
  const schema = schemaOf('changed(names: [String!]): Json', {
    changed: fromChannel({ channel: ({ names }) => names }),
  })
  const { subscribe: open, publish, executor, bus } = serve(schema)
  const stream = await open('subscription { changed(names: ["b", "a", "b"]) }')
  expect(bus.stats().listenerCount).toBe(2)
  await publish('b', 1)
  await publish('c', 2)
  await publish('a', 3)
  expect([await take(stream), await take(stream)]).toEqual([{ data: { changed: 1 } }, { data: { changed: 3 } }])
  expect(executor.metrics().executions).toBe(2)
})

test('only the types that were asked for are taken', async () => {
  const schema = schemaOf('changed: Json', {
    changed: fromChannel({ channel: 'c', types: ['created', '__proto__', 'created'] }),
  })
  const { subscribe: open, publish, executor } = serve(schema)
  const stream = await open(query)
  await publish('c', 1, { type: 'deleted' })
  await publish('c', 2, { type: 'constructor' })
  await publish('c', 3, { type: '__proto__' })
  await publish('c', 4, { type: 'created' })
  expect([await take(stream), await take(stream)]).toEqual([{ data: { changed: 3 } }, { data: { changed: 4 } }])
  expect(executor.metrics()).toMatchObject({ executions: 2, events: { filtered: 2 } })
})

test('a shared channel reaches every tenant; a scoped one of the same name only its own', async () => {
  const schema = schemaOf('changed: Json everywhere: Json', {
    changed: fromChannel({ channel: 'c' }),
    everywhere: fromChannel({ channel: 'c', tenancy: 'shared' }),
  })
  const { subscribe: open, publish, received } = serve(schema)
  const everywhere = 'subscription { changed: everywhere }'
  const streams = [
    await open(query, alice),
    await open(everywhere, alice),
    await open(everywhere, { tenantId: 'other' }),
    await open(query, { tenantId: 'shared' }),
  ]
  await publish('c', 'scoped')
  await publish('c', 'shared', { tenantId: SHARED })
  const result = (value: string) => ({ data: { changed: value } })
  expect(await received(...streams)).toEqual([[result('scoped')], [result('shared')], [result('shared')], []])
  await expect(publish('c', 1, { tenantId: SHARED, userId: 'alice' })).rejects.toMatchObject({ code: 'BAD_EVENT' })
})

test('resolve gets data, arguments, the context of the event and info; without it the data is the value', async () => {
  const resolve = vi.fn((_data: Untyped, _args: Untyped, _context: Untyped, info: GraphQLResolveInfo) => info.fieldName)
  const schema = schemaOf('changed(id: Int): Json plain: Json', {
    changed: fromChannel({ channel: 'c', resolve }),
    plain: fromChannel({ channel: 'c' }),
  })
  const { subscribe: open, publish } = serve(schema, { eventContext: ({ event }) => event.type })
  const streams = [await open('subscription { changed(id: 1) }'), await open('subscription { plain }')]
  await publish('c', { id: 1 }, { type: 'created' })
  expect(await Promise.all(streams.map(take))).toEqual([
    { data: { changed: 'changed' } },
    { data: { plain: { id: 1 } } },
  ])
  expect(resolve).toHaveBeenCalledExactlyOnceWith(
    { id: 1 },
    expect.objectContaining({ id: 1 }),
    'created',
    expect.anything(),
  )
})

test('filter gets data, arguments and the context of the event, once per group and event', async () => {
  const filter = vi.fn(({ n }: Untyped, { min }: Untyped, { offset }: Untyped) => n + offset >= min)
  const schema = schemaOf('changed(min: Int): Json', {
    changed: fromChannel({ channel: 'c', share: 'tenant', filter }),
  })
  const { subscribe: open, publish, executor } = serve(schema, { eventContext: () => ({ offset: 1 }) })
  const streams = await Promise.all(
    [alice, bob, alice].map((viewer) => open('subscription { changed(min: 3) }', viewer)),
  )
  for (const n of [1, 2, 3]) await publish('c', { n })
  for (const stream of streams) {
    expect([await take(stream), await take(stream)]).toMatchObject([
      { data: { changed: { n: 2 } } },
      { data: { changed: { n: 3 } } },
    ])
  }
  expect(filter).toHaveBeenCalledTimes(3)
  expect(executor.metrics()).toMatchObject({ executions: 2, events: { filtered: 1, delivered: 6 } })
})

test('a resolver that checks something first may refuse, or return what subscribe returns', async () => {
  const field = fromChannel({ channel: 'c' })
  const guarded = {
    ...field,
    subscribe: (...[root, args, context, info]: Parameters<typeof field.subscribe>) => {
      if ((context as { viewer: Viewer }).viewer.userId !== 'alice') throw new Error('Only for Alice.')
      return field.subscribe(root, args, context, info)
    },
  }
  const { attempt, subscribe: open, publish } = serve(schemaOf('changed: Json', { changed: guarded }))
  expect(await attempt(query, bob)).toMatchObject({ errors: [{ message: 'Only for Alice.' }] })
  const stream = await open(query, alice)
  await publish('c', 1)
  expect(await take(stream)).toEqual({ data: { changed: 1 } })
})
