import { GraphQLError, GraphQLObjectType, GraphQLScalarType, GraphQLSchema } from 'graphql'
import { expect, test } from 'vitest'
import { type Case, expectSame, schemaOf } from './same-result.ts'

const one = 'type Query { a: Int b: Int } '

function throwing(value: unknown): () => Case {
  const fail = () => {
    throw value
  }
  return () => ({ schema: schemaOf(one, { Query: { a: fail } }), query: '{ a b }', rootValue: { b: 2 } })
}

test.each([undefined, null, 0, 5, 'text', { message: 'of an object' }, new Error(''), [1]])(
  'what is thrown without being an error is told as graphql-js tells it: %j',
  async (value) => {
    const { result } = await expectSame(throwing(value))
    expect(result.data).toEqual({ a: null, b: 2 })
  },
)

test('what a promise is rejected with is told as graphql-js tells it, even if it is nothing', async () => {
  const nothing: unknown = undefined
  const reject = () => Promise.reject(nothing)
  await expectSame(() => ({ schema: schemaOf(one, { Query: { a: reject } }), query: '{ a b }' }))
})

test('an error keeps its path, its place and its extensions if it has some', async () => {
  const { result } = await expectSame(throwing(new GraphQLError('x', { path: ['p', 1], extensions: { code: 'C' } })))
  expect(result.errors).toEqual([{ message: 'x', path: ['p', 1], extensions: { code: 'C' } }])
  await expectSame(throwing(new GraphQLError('x', { extensions: { code: 'C' } })))
  await expectSame(throwing(Object.assign(new Error('x'), { extensions: { code: 'C' } })))
})

test('an error that a resolver returns is thrown', async () => {
  await expectSame(() => ({ schema: schemaOf(one, { Query: { a: () => new Error('x') } }), query: '{ a b }' }))
})

test('of several nulls of an object one error is told', async () => {
  const schema = schemaOf('type Query { o: O } type O { a: Int! b: Int! }')
  const { result } = await expectSame(() => ({ schema, query: '{ o { a b } }', rootValue: { o: {} } }))
  expect(result.errors).toHaveLength(1)
})

test('fields beside one that made their object null are not resolved', async () => {
  const { log } = await expectSame(() => {
    const log: string[] = []
    const a = () => {
      log.push('a')
      throw new Error('a')
    }
    const schema = schemaOf('type Query { o: O } type O { a: Int! b: Int! }', { O: { a, b: () => log.push('b') } })
    return { log, schema, query: '{ o { a b } }', rootValue: { o: {} } }
  })
  expect(log).toEqual(['a'])
})

test('nulls in lists of lists go up as far as they may', async () => {
  const schema = schemaOf('type Query { l: [[Int!]!] m: [[Int!]] n: [[Int]!]! o: [[Int!]!]! }')
  const l = [[1, null], [2], null]
  const query = '{ l m n: m o: m }'
  await expectSame(() => ({ schema, query, rootValue: { l, m: l } }))
  for (const field of ['l', 'm', 'n', 'o']) {
    await expectSame(() => ({ schema, query: `{ ${field} }`, rootValue: { [field]: l } }))
  }
})

test('a null in several fields that are one is told of all their places', async () => {
  const schema = schemaOf('type Query { o: O } type O { p: P! } type P { x: Int y: Int }')
  const { result } = await expectSame(() => ({ schema, query: '{ o { p { x } p { y } } }', rootValue: { o: {} } }))
  expect(result.errors?.[0]?.locations).toHaveLength(2)
})

test('what is no list where there should be one is an error', async () => {
  const schema = schemaOf('type Query { l: [Int] }')
  for (const l of ['text', 5, { 0: 1, length: 1 }, { [Symbol.asyncIterator]: () => undefined }]) {
    await expectSame(() => ({ schema, query: '{ l }', rootValue: { l } }))
  }
})

function serializing(serialize: (value: unknown) => unknown, value: unknown = 1): () => Case {
  const Leaf = new GraphQLScalarType({ name: 'Leaf', serialize })
  const object = new GraphQLObjectType({ name: 'O', fields: { a: { type: Leaf } } })
  const query = new GraphQLObjectType({ name: 'Query', fields: { a: { type: Leaf }, o: { type: object } } })
  const schema = new GraphQLSchema({ query })
  return () => ({ schema, query: '{ a o { a } }', rootValue: { a: value, o: { a: value } } })
}

test('a scalar that serialises to nothing is an error', async () => {
  const { result } = await expectSame(serializing(() => null))
  expect(result.errors?.[0]?.message).toContain('to return non-nullable value, returned: null')
  await expectSame(serializing(() => undefined))
})

test('a scalar that serialises to NaN is no error', async () => {
  const { result } = await expectSame(serializing(() => Number.NaN))
  expect(result.errors).toBeUndefined()
})

test('a scalar that serialises to a promise is awaited', async () => {
  const { result } = await expectSame(serializing(() => Promise.resolve(5)))
  expect(result.data).toEqual({ a: 5, o: { a: 5 } })
  await expectSame(serializing(() => Promise.reject(new Error('x'))))
})

test('what a scalar throws keeps its extensions, or is told as what it is', async () => {
  await expectSame(
    serializing(() => {
      throw new GraphQLError('x', { extensions: { code: 'C' } })
    }),
  )
  const text: unknown = 'text'
  await expectSame(
    serializing(() => {
      throw text
    }),
  )
})
