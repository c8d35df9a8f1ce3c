import { buildSchema, type ExecutionArgs, GraphQLError, type GraphQLSchema } from 'graphql'
import { describe, expect, test, vi } from 'vitest'
import { codesOf, type Request, schemaOf, serve, type Service } from '../../__tests__/service.ts'
import { fromChannel } from '../../channel/from-channel.ts'
import { SluiceError } from '../../errors.ts'

const fields = 'changed(id: Int!): Json other: Json give: Json'

function service(give?: () => unknown): Service {
  return serve(
    schemaOf(fields, {
      changed: fromChannel({ channel: 'c' }),
      other: fromChannel({ channel: 'c' }),
      give: { subscribe: () => give?.() },
    }),
  )
}

/** Refused with `{ errors }` and nothing else, and nothing of it is left. */
async function refusal(served: Service, query: string, request: Request = {}): Promise<readonly GraphQLError[]> {
  const outcome = await served.attempt(query, undefined, request)
  if ('next' in outcome) throw new Error('it was not refused')
  expect(outcome.errors?.length).toBeGreaterThan(0)
  for (const error of outcome.errors ?? []) expect(error).toBeInstanceOf(GraphQLError)
  expect(outcome.data ?? null).toBeNull()
  expect(served.executor.metrics()).toMatchObject({ subscriptions: { active: 0 }, groups: { active: 0 } })
  expect(served.bus.stats().listenerCount).toBe(0)
  return outcome.errors ?? []
}

describe('a request is refused with { errors }', () => {
  const wrong: Record<string, [string, Request?]> = {
    'for an unknown operation name': ['subscription A { other }', { args: { operationName: 'B' } }],
    'for an empty operation name': ['subscription A { other }', { args: { operationName: '' } }],
    'for several operations without a name': ['subscription A { other } subscription B { other }'],
    'for no operation': ['fragment F on Subscription { other }'],
    'for a query': ['{ ok }'],
    'for a query among subscriptions': ['query Q { ok } subscription S { other }', { args: { operationName: 'Q' } }],
    'for a mutation': ['mutation { ok }'],
    'for an unknown field': ['subscription { unknown }'],
    'for @skip on the only field': ['subscription { other @skip(if: true) }'],
    'for @include on the only field': [
      'subscription ($no: Boolean!) { other @include(if: $no) }',
      { variables: { no: false } },
    ],
    'for a required variable that is missing': ['subscription ($id: Int!) { changed(id: $id) }'],
    'for a required variable that is null': [
      'subscription ($id: Int!) { changed(id: $id) }',
      { variables: { id: null } },
    ],
    'for a variable of the wrong type': ['subscription ($id: Int!) { changed(id: $id) }', { variables: { id: 'one' } }],
    'for a required argument that is missing': ['subscription { changed }'],
    'for a literal of the wrong type': ['subscription { changed(id: "one") }'],
    'for variables that are a list': ['subscription { other }', { args: { variableValues: [] as never } }],
    'for variables that are a string': ['subscription { other }', { args: { variableValues: 'id' as never } }],
    'for variables that are a function': [
      'subscription { other }',
      { args: { variableValues: (() => ({})) as never } },
    ],
    'without a document': ['subscription { other }', { args: { document: undefined as never } }],
    'without a schema': ['subscription { other }', { args: { schema: undefined as never } }],
  }

  test.each(Object.entries(wrong))('%s', async (_, [query, request]) => {
    await refusal(service(), query, request)
  })

  test('by a schema without a subscription type', async () => {
    const schema = buildSchema('type Query { ok: Boolean }')
    await refusal(serve(schema), 'subscription { other }')
  })

  test('for arguments that are no arguments', async () => {
    const { executor } = service()
    for (const args of [{}, null, undefined]) {
      await expect(executor.subscribe(args as ExecutionArgs)).resolves.toEqual({ errors: [expect.any(GraphQLError)] })
    }
  })
})

test('a mistake of the client is not told to onError', async () => {
  const served = service()
  await refusal(served, '{ ok }')
  await refusal(served, 'subscription A { other } subscription B { other }')
  await refusal(served, 'subscription { other }', { args: { variableValues: [] as never } })
  await refusal(served, 'subscription { other @skip(if: true) }')
  expect(served.errors).toEqual([])
})

describe('a subscribe resolver that', () => {
  const throwing = (error: unknown) => () => {
    throw error
  }

  test.each([
    ['throws', throwing],
    ['rejects', (error: unknown) => () => Promise.reject(error)],
    ['gives an Error instance', (error: unknown) => () => error],
    ['resolves to an Error instance', (error: unknown) => async () => error],
  ])('%s is a located GraphQL error, for the host to mask', async (_, failing) => {
    const [error] = await refusal(service(failing(new Error('no such order'))), 'subscription { give }')
    expect(error).toMatchObject({ path: ['give'], originalError: { message: 'no such order' } })
    const [own] = await refusal(
      service(failing(new GraphQLError('sorry', { extensions: { code: 'MINE' } }))),
      'subscription { give }',
    )
    expect(own).toMatchObject({ message: 'sorry', path: ['give'], extensions: { code: 'MINE' } })
  })

  test('throws a SluiceError gives its code, and nothing that a host would mask', async () => {
    const failing = throwing(new SluiceError('LIMIT_EXCEEDED', 'Too many.', { cause: new Error('secret') }))
    const [error] = await refusal(service(failing), 'subscription { give }')
    expect(error).toMatchObject({ message: 'Too many.', path: ['give'], extensions: { code: 'LIMIT_EXCEEDED' } })
    expect(error?.originalError).toBeUndefined()
  })

  const notIterable: Record<string, unknown> = {
    undefined,
    null: null,
    'a string': 'secret',
    'an object': { password: 'secret' },
    'a synchronous iterable': ['secret'],
    'a promise of an object': Promise.resolve({ password: 'secret' }),
  }
  test.each(Object.entries(notIterable))('gives %s is refused, without showing it', async (_, value) => {
    const served = service(() => value)
    expect(JSON.stringify(await refusal(served, 'subscription { give }'))).not.toContain('secret')
    expect(served.errors).toEqual([expect.objectContaining({ message: expect.stringContaining('Async Iterable') })])
  })

  test('gives an iterable whose iterator cannot be made is refused, and onError hears why', async () => {
    const failure = new Error('secret')
    const served = service(() => ({ [Symbol.asyncIterator]: throwing(failure) }))
    const errors = await refusal(served, 'subscription { give }')
    expect(JSON.stringify(errors)).not.toContain('secret')
    expect(served.errors).toEqual([failure])
  })
})

test('a channel that has no proper name is refused with a code', async () => {
  const names: unknown[] = ['', 'c'.repeat(257), '\uD800', 7, null, undefined, [], [''], [7], {}]
  for (const name of names) {
    const schema = schemaOf('changed: Json', { changed: fromChannel({ channel: () => name as string }) })
    const [code] = codesOf(await serve(schema).attempt('subscription { changed }'))
    expect(['BAD_SUBSCRIPTION', 'BAD_CONFIG']).toContain(code)
  }
})

test('a channel, match or share function that fails is an error of the request', async () => {
  const failing = vi.fn(() => {
    throw new Error('secret')
  })
  const options = { channel: 'c', match: {}, share: 'subscriber' as const }
  for (const option of ['channel', 'match', 'share'] as const) {
    const schema: GraphQLSchema = schemaOf('changed: Json', { changed: fromChannel({ ...options, [option]: failing }) })
    const served = serve(schema, { eventContext: () => ({}) })
    const errors = await refusal(served, 'subscription { changed }')
    expect(JSON.stringify(errors.filter(({ originalError }) => originalError === undefined))).not.toContain('secret')
  }
  expect(failing).toHaveBeenCalledTimes(3)
})
