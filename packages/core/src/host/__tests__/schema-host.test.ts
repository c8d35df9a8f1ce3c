import { GraphQLError } from 'graphql'
import { describe, expect, test } from 'vitest'
import { addResolvers, schemaOf, serve } from '../../__tests__/service.ts'
import { fromChannel } from '../../channel/from-channel.ts'
import { isAsyncIterable } from '../is-async-iterable.ts'
import { isRefusal, type OperationParams, type TransportOperation } from '../operation-host.ts'
import { schemaHost, type SchemaHostOptions } from '../schema-host.ts'

const secret = 'password=hunter2'

function open(options: Partial<SchemaHostOptions> = {}) {
  const schema = schemaOf(
    'changed: Json',
    { changed: fromChannel({ channel: 'c' }) },
    'extend type Query { broken: Json who: Json } type Mutation { count: Int }',
  )
  let count = 0
  addResolvers(schema, 'Query', {
    broken: {
      resolve: () => {
        throw new Error(secret)
      },
    },
    who: { resolve: (_root, _args, { viewer }) => viewer as unknown },
  })
  addResolvers(schema, 'Mutation', { count: { resolve: () => (count += 1) } })
  const service = serve(schema)
  const { executor } = service
  const host = schemaHost({
    executor,
    schema,
    context: ({ connectionParams }) => ({ viewer: connectionParams }),
    ...options,
  })
  const run = (query: string, more: Partial<TransportOperation & OperationParams> = {}) => {
    const { operationName, variables, ...operation } = more
    return host.runOperation({
      transport: 'sse',
      req: {} as never,
      isReadOnly: false,
      params: { query, operationName, variables },
      ...operation,
    })
  }
  return { ...service, host, run, counted: () => count }
}

describe('a host that is a schema', () => {
  test('executes queries and mutations, with the context of the operation', async () => {
    const { run } = open()
    expect(await run('{ who }', { connectionParams: { name: 'ada' } })).toEqual({ data: { who: { name: 'ada' } } })
    expect(await run('mutation { count }')).toEqual({ data: { count: 1 } })
  })

  test('subscribes by the executor, or by what it is told to', async () => {
    const { executor, run } = open()
    const stream = await run('subscription { changed }', { connectionParams: { tenantId: 't' } })
    expect(isAsyncIterable(stream)).toBe(true)
    expect(executor.metrics().subscriptions.active).toBe(1)
    const refused = open({ subscribe: async () => ({ errors: [new GraphQLError('not here')] }) })
    expect(await refused.run('subscription { changed }')).toMatchObject({ errors: [{ message: 'not here' }] })
  })

  test('refuses with errors what cannot be executed', async () => {
    const { run } = open()
    const wrong: Record<string, Parameters<typeof run>> = {
      'does not parse': ['{'],
      'does not validate': ['{ nothing }'],
      'has no operation': ['fragment F on Query { ok }'],
      'has several operations and names none': ['query A { ok } query B { ok }'],
      'names another operation': ['query A { ok }', { operationName: 'B' }],
    }
    for (const [what, args] of Object.entries(wrong)) {
      const result = await run(...args)
      expect(isRefusal(result) && result.length > 0, what).toBe(true)
    }
  })

  test('does not execute a mutation that must change nothing', async () => {
    const { counted, run } = open()
    expect(await run('mutation { count }', { isReadOnly: true })).toMatchObject([
      { extensions: { code: 'BAD_REQUEST' } },
    ])
    expect(counted()).toBe(0)
    expect(await run('{ ok }', { isReadOnly: true })).toEqual({ data: { ok: null } })
  })

  test('asks for its schema for each operation, if it is a function', async () => {
    const [first, second] = [schemaOf('a: Json', {}), schemaOf('b: Json', {}, 'extend type Query { second: Int }')]
    let current = first
    const { run } = open({ schema: () => current })
    expect(isRefusal(await run('{ second }'))).toBe(true)
    current = second
    expect(await run('{ second }')).toEqual({ data: { second: null } })
  })
})

describe('its error masking', () => {
  test('hides internal errors where they are, and reports them', async () => {
    const { errors, host, run } = open()
    const result = await run('{ ok broken }')
    if (isRefusal(result) || isAsyncIterable(result)) throw new Error('it was executed')
    const masked = host.sanitizeResult?.(result)
    expect(masked).toMatchObject({
      data: { ok: null, broken: null },
      errors: [{ message: 'Internal server error', path: ['broken'], extensions: { code: 'INTERNAL_SERVER_ERROR' } }],
    })
    expect(masked?.errors?.[0]?.locations).toEqual([{ line: 1, column: 6 }])
    expect(errors).toMatchObject([{ message: secret }])
    expect(result.errors).toMatchObject([{ message: secret }]) // its argument is as it was
  })

  test('lets pass what the application says to the client', () => {
    const { errors, host } = open()
    const result = { errors: [new GraphQLError('Not for you', { extensions: { code: 'REFUSED' } })] }
    expect(host.sanitizeResult?.(result)).toBe(result)
    expect(errors).toEqual([])
  })

  test('is one for all hosts of an executor, so that a group is masked once', () => {
    const { executor, host, schema } = open()
    expect(schemaHost({ executor, schema }).sanitizeResult).toBe(host.sanitizeResult)
    expect(open().host.sanitizeResult).not.toBe(host.sanitizeResult)
  })

  test('can be switched off', () => {
    expect(open({ maskErrors: false }).host.sanitizeResult).toBeUndefined()
  })
})
