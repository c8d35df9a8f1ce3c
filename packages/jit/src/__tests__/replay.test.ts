import { execute, type GraphQLResolveInfo, type GraphQLSchema, parse } from 'graphql'
import { expect, test, vi } from 'vitest'
import { compiledExecute } from '../index.ts'
import { type Case, expectSame, isCompiled, schemaOf } from './same-result.ts'

const sdl = `
  type Query { ok: Int }
  type Mutation { a(x: Int!): Int! b: Int c: O }
  type Subscription { o(x: Int): O l: [I] }
  interface I { n: Int! s(x: Int): String }
  type O implements I { n: Int! s(x: Int): String later: [O] i: I }
`

/** Resolvers that note what they are called with. */
function noting(values: Readonly<Record<string, (source: never) => unknown>>): () => Case {
  return () => {
    const log: unknown[] = []
    const resolve = (name: string) => (source: unknown, args: unknown, context: unknown, info: GraphQLResolveInfo) => {
      const isOriginal = info.schema === schema && info.parentType === schema.getType(info.parentType.name)
      const isReturned = info.returnType === info.parentType.getFields()[info.fieldName]?.type
      log.push([name, source, args, context, info.path, isOriginal, isReturned, String(info.parentType)])
      return values[name]?.(source as never)
    }
    const schema: GraphQLSchema = schemaOf(sdl, {
      Subscription: { o: resolve('o'), l: resolve('l') },
      O: { s: resolve('s'), later: resolve('later'), i: resolve('i') },
      I: { __resolveType: (value: { kind?: string }, context: unknown) => (context === 'c' ? value.kind : 'nobody') },
    })
    return { log, schema, query: '', contextValue: 'c', variableValues: { x: 7 } }
  }
}

test('after an error no resolver is called again, and those that had not been are called with the same as ever', async () => {
  const make = noting({
    o: () => ({ n: 1 }),
    l: () => Promise.resolve([{ kind: 'O', n: 2 }, { kind: 'O', n: null }, { kind: 'O', n: 3 }, { kind: 'P' }, null]),
    s: () => Promise.resolve('s'),
    later: () => [{ n: 4 }, {}],
    i: () => ({ kind: 'O', n: 5 }),
  })
  const query =
    'subscription ($x: Int) { o(x: $x) { n s i { s(x: 3) } later { n s(x: $x) } } l { n s ... on O { i { n } } } }'
  const [expected, compiled] = [make(), make()]
  const document = parse(query)
  const result = await compiledExecute()({ ...compiled, document })
  expect(JSON.stringify(result)).toBe(JSON.stringify(await execute({ ...expected, document })))
  expect(result.errors).toHaveLength(3)
  const calls = compiled.log?.map((entry) => JSON.stringify(entry)) ?? []
  expect(new Set(calls).size).toBe(calls.length)
  // A null is seen when everything has been resolved: there are calls below what becomes null, too.
  expect(calls).toEqual(expect.arrayContaining(expected.log?.map((entry) => JSON.stringify(entry)) ?? []))
})

test('a resolver that failed is not called again', async () => {
  const fail = (message: string) => () => {
    throw new Error(message)
  }
  const reject = () => Promise.reject(new Error('s'))
  await expectSame(() => ({ ...noting({ o: fail('o'), l: () => [] })(), query: 'subscription { o { n } l { n } }' }))
  await expectSame(() => ({
    ...noting({ o: () => ({ n: 1 }), s: reject })(),
    query: 'subscription { o { s t: s } l { n } }',
  }))
})

test('functions of the data are called once, and with the context value', async () => {
  const { log } = await expectSame(() => {
    const log: unknown[] = []
    const later = (args: unknown, context: unknown) => {
      log.push([args, context])
      return [{ n: 1 }, { n: 2 }]
    }
    const make = noting({})()
    const schema = schemaOf(sdl)
    return {
      ...make,
      schema,
      log,
      query: 'subscription { o { later { n } i { n } n } }',
      rootValue: { o: { later, i: { kind: 'x' } } },
    }
  })
  expect(log).toHaveLength(1)
})

test('the fields of a mutation are resolved one after the other, and none after the first that failed for all', async () => {
  for (const query of [
    'mutation { a(x: 1) b }',
    'mutation { b a(x: 1) }',
    'mutation ($x: Int) { a(x: $x) b }',
    'mutation { c { n } }',
  ]) {
    await expectSame(() => {
      const log: unknown[] = []
      const note = (name: string, value: unknown) => async () => {
        log.push(`begin ${name}`)
        await Promise.resolve()
        log.push(`end ${name}`)
        if (value instanceof Error) throw value
        return value
      }
      const schema = schemaOf(sdl, { Mutation: { a: note('a', new Error('a')), b: note('b', 1), c: note('c', {}) } })
      return { log, schema, query }
    })
  }
})

test('a result is waited for only if something has to be', async () => {
  const compiled = compiledExecute()
  const schema = schemaOf(sdl, { O: { s: () => Promise.resolve('s') } })
  const args = { schema, rootValue: { o: { n: 1 } } }
  expect(compiled({ ...args, document: parse('subscription { o { n } }') })).not.toBeInstanceOf(Promise)
  expect(
    compiled({ ...args, document: parse('subscription { o { n i { n } } }'), rootValue: { o: {} } }),
  ).not.toBeInstanceOf(Promise)
  expect(compiled({ ...args, document: parse('subscription { o { s } }') })).toBeInstanceOf(Promise)
})

test('a failure is told at once, while other resolvers still work', async () => {
  const schema = schemaOf('type Query { a: Int! b: Int! }', {
    Query: { a: () => new Promise(() => undefined), b: () => Promise.reject(new Error('b')) },
  })
  const result = await compiledExecute()({ schema, document: parse('{ a b }') })
  expect(result).toMatchObject({ data: null, errors: [{ message: 'b', path: ['b'] }] })
})

test('executions within executions do not disturb each other', async () => {
  const compiled = compiledExecute()
  const document = parse('query ($n: Int!) { l(n: $n) { ... on O { n l(n: 1) { ... on O { n } } } } }')
  const schema = schemaOf(
    'type Query { l(n: Int!): [I] } interface I { n: Int } type O implements I { n: Int l(n: Int!): [I] }',
    {
      I: {
        __resolveType: (_: unknown, context: number, info: GraphQLResolveInfo) =>
          info.variableValues['n'] === context ? 'O' : undefined,
      },
      Query: { l: (_, { n }: { n: number }) => [{ n }, { n }] },
      O: {
        l: (_, __, context: number, info: GraphQLResolveInfo) => {
          if (context === 0) return []
          const nested = {
            schema: info.schema,
            document,
            contextValue: context - 1,
            variableValues: { n: context - 1 },
          }
          expect(compiled(nested)).toEqual(execute(nested))
          return [{ n: context }]
        },
      },
    },
  )
  const args = { schema, document, contextValue: 2, variableValues: { n: 2 } }
  const result = compiled(args)
  expect(isCompiled(result)).toBe(true)
  expect(result).toEqual(execute(args))
})

test('an operation that keeps failing is compiled for nothing only now and then', () => {
  const serialize = vi.fn()
  const schema = schemaOf('scalar S type Query { o: O } type O { s: S }')
  Object.assign(schema.getType('S') as object, {
    serialize: (value: unknown) => {
      serialize()
      return value === 'bad' ? null : value
    },
  })
  const compiled = compiledExecute()
  const document = parse('{ o { s } }')
  for (let i = 0; i < 100; i++) void compiled({ schema, document, rootValue: { o: { s: 'bad' } } })
  expect(serialize.mock.calls.length).toBeLessThan(125)
  const good = { schema, document, rootValue: { o: { s: 'good' } } }
  for (let i = 0; i < 10; i++) void compiled(good)
  expect(isCompiled(compiled(good))).toBe(true)
})
