import {
  defaultFieldResolver,
  defaultTypeResolver,
  buildSchema,
  execute,
  type ExecutionArgs,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString,
  parse,
} from 'graphql'
import { compileQuery } from 'graphql-jit'
import { beforeEach, expect, test, vi } from 'vitest'
import { compiledExecute } from '../index.ts'
import { isCompiled, schemaOf } from './same-result.ts'

vi.mock('graphql-jit', async (importOriginal) => {
  const original = await importOriginal<{ readonly compileQuery: typeof compileQuery }>()
  return { ...original, compileQuery: vi.fn(original.compileQuery) }
})

const compilations = vi.mocked(compileQuery)
beforeEach(() => void compilations.mockClear())

const schema = buildSchema(`
  type Query { a: String b: String o: Query l: [Query] }
  type Mutation { a: String b: String }
  directive @defer on FRAGMENT_SPREAD | INLINE_FRAGMENT
  directive @stream on FIELD
`)
const rootValue = { a: 'a', b: 'b', o: { a: 'oa' }, l: [{ a: 'la' }] }

function expectFallback(args: Omit<ExecutionArgs, 'document'> & { readonly query: string }, options = {}): void {
  const { query, ...others } = args
  const compiled = compiledExecute(options)
  const full = { ...others, document: parse(query) }
  for (let i = 0; i < 3; i++) expect(compiled(full)).toEqual(execute(full))
  expect(compilations).not.toHaveBeenCalled()
}

test.each([
  '{ a ... @defer { b } }',
  '{ a o { ...F @defer(label: "l") } } fragment F on Query { a }',
  '{ l @stream(initialCount: 1) { a } }',
  '{ ...F } fragment F on Query { o { l @stream { a } } }',
  '{ __schema { queryType { name } } }',
  '{ a ...F } fragment F on Query { __type(name: "Query") { name } }',
  'mutation { a b }',
  'mutation { a __typename }',
  'subscription { a }',
  '{ a @skip }',
  'query ($x: Boolean) { a @skip(if: $x) }',
  '{ a @include(if: "text") }',
  '{ __proto__: a }',
  'query A { a } query B { a }',
])('never reaches the compiler: %s', (query) => {
  expectFallback({ schema, rootValue, query })
})

test('resolvers that are no part of the schema never reach the compiler', () => {
  expectFallback({ schema, query: '{ a }', fieldResolver: () => 'own' })
  expectFallback({ schema, query: '{ a }', typeResolver: () => 'Query' })
  expectFallback({ schema, query: '{ a }', operationName: 'Unknown' })
})

test('the resolvers of graphql-js are no resolvers of their own', () => {
  const args = { schema, document: parse('{ a }'), rootValue }
  const compiled = compiledExecute()
  for (const resolvers of [
    { fieldResolver: null, typeResolver: null },
    { fieldResolver: defaultFieldResolver, typeResolver: defaultTypeResolver },
  ]) {
    expect(isCompiled(compiled({ ...args, ...resolvers }))).toBe(true)
  }
})

test('an operation with more fields, or deeper ones, than the limits never reaches the compiler', () => {
  const fields = Array.from({ length: 11 }, (_, i) => `f${i}: a`).join(' ')
  expectFallback({ schema, rootValue, query: `{ ${fields} }` }, { maxFieldCount: 10 })
  expectFallback({ schema, rootValue, query: `{ ${'o { '.repeat(20)} a ${'} '.repeat(20)} }` })
})

test('fragments that multiply are counted where they are spread', () => {
  const fragments = Array.from(
    { length: 15 },
    (_, i) => `fragment F${i} on Query { x: o { ...F${i + 1} } y: o { ...F${i + 1} } }`,
  )
  expectFallback({ schema, rootValue, query: `{ ...F0 } ${fragments.join(' ')} fragment F15 on Query { a }` })
})

test('a document that was refused is refused again without being looked at', () => {
  const compiled = compiledExecute({ maxFieldCount: 1 })
  const args = { schema, document: parse('{ a b }'), rootValue }
  void compiled(args)
  const getPossibleTypes = vi.spyOn(schema, 'getRootType')
  void compiled(args)
  // By graphql-js alone.
  expect(getPossibleTypes).toHaveBeenCalledTimes(1)
  getPossibleTypes.mockRestore()
})

test('what the compiler throws, or says to be wrong, is not told to anybody', () => {
  const args = { schema, document: parse('{ a o { a } }'), rootValue }
  compilations.mockImplementationOnce(() => {
    throw new EvalError('Code generation from strings disallowed for this context')
  })
  const compiled = compiledExecute()
  for (let i = 0; i < 2; i++) expect(compiled(args)).toEqual({ data: { a: 'a', o: { a: 'oa' } } })
  compilations.mockImplementationOnce(() => ({ errors: [] }))
  const other = compiledExecute()
  for (let i = 0; i < 2; i++) expect(other(args)).toEqual({ data: { a: 'a', o: { a: 'oa' } } })
  expect(compilations).toHaveBeenCalledTimes(2)
})

test('an operation whose data compiled code cannot complete is executed by graphql-js from then on', () => {
  const read = vi.fn(() => Promise.resolve('later'))
  const args = { schema, document: parse('{ o { a } }') }
  const compiled = compiledExecute()
  expect(isCompiled(compiled({ ...args, rootValue }))).toBe(true)
  const lazy = {
    rootValue: {
      o: {
        get a() {
          return read()
        },
      },
    },
  }
  for (const count of [2, 3, 4]) {
    void compiled({ ...args, ...lazy })
    expect(read).toHaveBeenCalledTimes(count)
  }
  expect(isCompiled(compiled({ ...args, rootValue }))).toBe(false)
})

test('what is wrong with the call is thrown as graphql-js throws it', () => {
  const compiled = compiledExecute()
  const invalid = new GraphQLSchema({
    mutation: new GraphQLObjectType({ name: 'M', fields: { a: { type: GraphQLString } } }),
  })
  const document = parse('mutation { a }')
  const calls = [
    { schema: invalid, document },
    { schema: undefined, document },
    { schema, document: undefined },
    { schema, document: parse('{ a }'), variableValues: 'text' },
  ] as unknown as ExecutionArgs[]
  for (const args of calls) {
    const messages = [execute, compiled].map((call) => {
      try {
        return JSON.stringify(call(args))
      } catch (error) {
        return (error as Error).message
      }
    })
    expect(messages[1]).toBe(messages[0])
  }
})

test('a mutation of one field is compiled', () => {
  const resolved = schemaOf('type Query { a: Int } type Mutation { a(x: Int): Int }', {
    Mutation: { a: (_, { x }) => x },
  })
  const result = compiledExecute()({ schema: resolved, document: parse('mutation { a(x: 5) }') })
  expect(result).toEqual({ data: { a: 5 } })
  expect(isCompiled(result)).toBe(true)
})
