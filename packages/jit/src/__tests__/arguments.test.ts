import {
  execute,
  GraphQLEnumType,
  GraphQLInt,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLScalarType,
  GraphQLSchema,
  GraphQLString,
  Kind,
  parse,
} from 'graphql'
import { expect, test } from 'vitest'
import { compiledExecute } from '../index.ts'
import { type Case, expectSame, schemaOf } from './same-result.ts'

const echo = (_: unknown, args: unknown) => JSON.stringify(args)

function echoing(argument: string, types = ''): Case['schema'] {
  const sdl = `type Query { a(x: ${argument}): String o: O } type O { a(x: ${argument}): String } ${types}`
  return schemaOf(sdl, { Query: { a: echo } })
}

test('wrong variables are told as graphql-js tells them', async () => {
  const types = 'input I { n: [Int!] again: I e: E r: Int! } enum E { A }'
  const schema = echoing('I', types)
  const query = 'query ($x: I, $y: [Int!]) { a(x: $x) }'
  const wrong = [
    5,
    'text',
    [],
    {},
    { r: 1, n: [1, null] },
    { r: 1, again: { r: 'x' } },
    { r: 1, e: 'B' },
    { r: 1, z: 1 },
  ]
  for (const x of wrong) {
    const { result } = await expectSame(() => ({ schema, query, variableValues: { x } }))
    expect(result.errors).toBeDefined()
  }
  for (const y of ['a', [1.5], [null]]) await expectSame(() => ({ schema, query, variableValues: { y } }))
  await expectSame(() => ({ schema, query: 'query ($x: Int!) { a }', variableValues: { x: null } }))
  await expectSame(() => ({ schema, query: 'query ($x: Int!) { a }' }))
  await expectSame(() => ({ schema, query: 'query ($x: Query) { a }' }))
})

test('an input of which one field is allowed has one, as a variable and as a literal', async () => {
  const schema = echoing('C', 'input C @oneOf { a: Int b: Int }')
  for (const x of [{ a: 1 }, { a: 1, b: 2 }, { a: null }, {}]) {
    await expectSame(() => ({
      schema,
      query: 'query ($x: C) { a(x: $x) o { a(x: $x) } }',
      variableValues: { x },
      rootValue: { o: { a: 1 } },
    }))
  }
  for (const x of ['{ a: 1 }', '{ a: 1, b: 2 }', '{ a: null }', '{}', '{ a: $v }']) {
    const query = `query ($v: Int) { a(x: ${x}) o { a(x: ${x}) } }`
    await expectSame(() => ({ schema, query, rootValue: { o: { a: 1 } } }))
    await expectSame(() => ({ schema, query, rootValue: { o: { a: 1 } }, variableValues: { v: 5 } }))
  }
})

test('a variable that is missing within an input leaves its field to the default', async () => {
  const schema = echoing('I', 'input I { n: Int m: Int = 4 }')
  const query = 'query ($n: Int) { a(x: { n: $n, m: $n }) }'
  const { result } = await expectSame(() => ({ schema, query }))
  expect(result.data).toEqual({ a: '{"x":{"m":4}}' })
  await expectSame(() => ({ schema, query, variableValues: { n: null } }))
})

test('wrong arguments are errors of their fields, also where a property takes none', async () => {
  const schema = echoing('[Int!]!')
  const rootValue = { o: { a: 'a' } }
  const wrong = ['(x: "text")', '', '(x: null)', '(x: [null])', '(x: [$n])', '(x: $l)', '(x: $d)', '(x: $none)']
  for (const args of wrong) {
    const query = `query ($n: Int, $l: [Int!], $d: [Int!] = [1]) { a${args} o { a${args} } b: a(x: [1]) }`
    await expectSame(() => ({ schema, query, rootValue }))
    await expectSame(() => ({ schema, query, rootValue, variableValues: { n: null, l: null, d: null } }))
    await expectSame(() => ({ schema, query, rootValue, variableValues: { n: 1, l: [2], d: [3] } }))
  }
})

test('a default that fits no variable is an error of the fields that are given it', async () => {
  const schema = echoing('Int')
  const query = 'query ($x: Int = "text") { o { a(x: $x) } }'
  const { result } = await expectSame(() => ({ schema, query, rootValue: { o: { a: 'a' } } }))
  expect(result.errors).toHaveLength(1)
  await expectSame(() => ({ schema, query, rootValue: { o: { a: 'a' } }, variableValues: { x: 1 } }))
})

test('defaults, literals and internal values reach resolvers as the objects that they are', async () => {
  const value = { since: new Map([[1, new Date(0)]]) }
  const E = new GraphQLEnumType({ name: 'E', values: { A: { value } } })
  const Any = new GraphQLScalarType({
    name: 'Any',
    parseValue: (input) => (input === 'set' ? new Set([input]) : input),
    parseLiteral: (node) => (node.kind === Kind.INT ? BigInt(node.value) : value),
  })
  const log: unknown[] = []
  const field = {
    type: GraphQLString,
    args: {
      e: { type: E },
      any: { type: Any, defaultValue: value },
      list: { type: new GraphQLList(E), defaultValue: [value] },
    },
    resolve: (_: unknown, args: unknown) => void log.push(args),
  }
  const schema = new GraphQLSchema({ query: new GraphQLObjectType({ name: 'Query', fields: { a: field } }) })
  const make = () => ({
    schema,
    query: 'query ($e: E = A, $s: Any) { a b: a(e: $e, any: 5) c: a(e: A, any: {}, list: [$e]) d: a(any: $s) }',
    variableValues: { s: 'set' },
  })
  await expectSame(make)
  expect(log.splice(0, 4)).toEqual(log)
  expect(log).toMatchObject([{ any: value }, { e: value, any: 5n }, { list: [value] }, { any: new Set(['set']) }])
})

test('arguments are made anew for each call: what a resolver does to them is gone', async () => {
  const list = { type: new GraphQLNonNull(new GraphQLList(GraphQLInt)) }
  const push = (_: unknown, { x }: { x: number[] }) => x.push(0)
  const o = new GraphQLObjectType({ name: 'O', fields: { n: { type: GraphQLInt, args: { x: list }, resolve: push } } })
  const schema = new GraphQLSchema({
    query: new GraphQLObjectType({ name: 'Query', fields: { l: { type: new GraphQLList(o) } } }),
  })
  await expectSame(() => ({ schema, query: '{ l { n(x: [1]) } }', rootValue: { l: [{}, {}] } }))
})

test('variables that change in their object are coerced again', () => {
  const schema = echoing('Int')
  const compiled = compiledExecute()
  const document = parse('query ($x: Int, $s: Boolean = false) { a(x: $x) @skip(if: $s) }')
  const variableValues: Record<string, unknown> = {}
  for (const change of [
    {},
    { x: 1 },
    { x: 2 },
    { x: 'wrong' },
    { x: null },
    { s: true },
    { s: null },
    { s: false, x: 1 },
  ]) {
    Object.assign(variableValues, change)
    const args = { schema, document, variableValues }
    expect(compiled(args)).toEqual(execute(args))
    expect(compiled(args)).toEqual(execute(args))
  }
})

test('variables that change within an object, or whose scalar changes its mind, are coerced again', () => {
  let isPatient = true
  const schema = schemaOf(
    'scalar Moody input I { n: Int } type Query { a(i: I, l: [Int], m: Moody): String o: O } type O { a: Int }',
    {
      Query: { a: echo },
    },
  )
  const parseValue = (value: unknown) => {
    if (isPatient) return value
    throw new Error('not now')
  }
  Object.assign(schema.getType('Moody') as object, { parseValue })
  const compiled = compiledExecute()
  const variableValues = { i: { n: 1 as unknown }, l: [1 as unknown], m: 1 }
  for (const definition of ['$i: I', '$l: [Int]', '$m: Moody']) {
    const document = parse(`query (${definition}) { a(${definition.replace(/\$(.): .*/, '$1: $$$1')}) }`)
    const args = { schema, document, variableValues }
    const same = () => expect(compiled(args)).toEqual(execute(args))
    Object.assign(variableValues, { i: { n: 1 }, l: [1] })
    same()
    same()
    variableValues.i.n = 'wrong'
    variableValues.l[0] = 'wrong'
    isPatient = false
    same()
    isPatient = true
    same()
  }
})

test('variables that change while an execution waits are what they were', async () => {
  const schema = schemaOf('type Query { o: O } type O { a(x: Int): String }', {
    Query: { o: () => Promise.resolve({}) },
    O: { a: echo },
  })
  const variableValues = { x: 1 }
  const args = { schema, document: parse('query ($x: Int) { o { a(x: $x) } }'), variableValues }
  const compiled = compiledExecute()
  await compiled(args)
  const result = compiled(args)
  variableValues.x = 2
  expect(await result).toEqual({ data: { o: { a: '{"x":1}' } } })
})
