import { buildSchema, execute, type GraphQLResolveInfo, parse } from 'graphql'
import { expect, test } from 'vitest'
import { compiledExecute } from '../index.ts'
import { expectSame, schemaOf } from './same-result.ts'

const schema = buildSchema('type Query { a: String b: String o: O } type O { a: String b: String o: O }')
const o = { a: 'oa', b: 'ob' }
const rootValue = { a: 'a', b: 'b', o: { ...o, o } }

test.each([
  '{ ...F @skip(if: true) ...F } fragment F on Query { a }',
  '{ ...F ...F @skip(if: true) } fragment F on Query { a }',
  'query ($x: Boolean!) { p: o @skip(if: $x) { ...F } q: o @include(if: $x) { ...F } } fragment F on O { a ...G } fragment G on O { b o { a } }',
  'query ($x: Boolean!) { o @include(if: $x) { a } o { b } }',
  'query ($x: Boolean!, $y: Boolean = true) { o { ...F @include(if: $x) ...F @skip(if: $y) } } fragment F on O { a @skip(if: $y) b @include(if: $y) }',
  'query ($x: Boolean!) { ... @skip(if: $x) { a @include(if: true) } b @skip(if: $x) @include(if: true) o @skip(if: $x) { a } }',
  'query ($y: Boolean) { a @include(if: $y) b }',
  'query ($y: Boolean = true) { a @include(if: $y) b }',
  'query { a @include(if: false) }',
])('what is skipped and included is what graphql-js skips and includes: %s', async (query) => {
  const compiled = compiledExecute()
  const document = parse(query)
  for (const x of [true, false, null, undefined, 'text']) {
    for (const y of [true, false, null]) {
      const args = { schema, document, rootValue, variableValues: { x, y } }
      expect(compiled(args)).toEqual(execute(args))
    }
    const args = { schema, document, rootValue, variableValues: { x } }
    expect(compiled(args)).toEqual(execute(args))
  }
})

test('fields of one response name are one field, whatever fragments they are in', async () => {
  const query =
    '{ o { a ...F ... on O { o { b } } } ...G } fragment F on O { o { a x: a } b } fragment G on Query { o { o { b } } }'
  expect((await expectSame(() => ({ schema, query, rootValue }))).isCompiled).toBe(true)
})

test.each([
  '{ ...F } fragment F on Query { a ...F }',
  '{ ...F } fragment F on Query { a o { ...G } } fragment G on O { a o { ...G } }',
  '{ a o { ...Missing } }',
  '{ a missing o { missing { a } } }',
  '{ a o { ...constructor } ...toString }',
  '{ a { b } o }',
  '{ a ... on Missing { b } ... on O { b } }',
  '{ x: a x: b }',
  '{ __proto__: a b }',
  '{ o { __proto__: a b } }',
  '{ constructor: a toString: o { hasOwnProperty: a } }',
  '{ __schema { queryType { name } } __type(name: "O") { name } __typename }',
  'mutation { a }',
  'query A { a } query B { b }',
  'query A { a } query A { b }',
  'fragment F on Query { a }',
])('documents that are odd or invalid have the results of graphql-js: %s', async (query) => {
  for (const operationName of [undefined, null, '', 'A', 'B']) {
    await expectSame(() => ({ schema, query, rootValue, operationName }))
  }
})

test('a document is left as it is, and may be frozen', () => {
  const document = parse('query ($x: Boolean!) { a @skip(if: $x) o { ...F } } fragment F on O { a b }')
  const before = JSON.stringify(document)
  freeze(document)
  const args = { schema, document, rootValue, variableValues: { x: false } }
  expect(compiledExecute()(args)).toEqual(execute(args))
  expect(JSON.stringify(document)).toBe(before)
})

function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return
  Object.freeze(value)
  for (const member of Object.values(value)) freeze(member)
}

test('resolvers are not mistaken for each other, whatever their names add up to', async () => {
  const say = (_: unknown, __: unknown, ___: unknown, { parentType, fieldName }: GraphQLResolveInfo) =>
    `${parentType.name}.${fieldName}`
  const named = schemaOf(
    'type Query { a: A b: AB b_a: String x: String } type A { Bc: String b: String } type AB { c: String }',
    { Query: { b_a: say, x: say }, A: { Bc: say, b: say }, AB: { c: say } },
  )
  const query = '{ b_a a { Bc b } b { c } a_b: x }'
  const { isCompiled } = await expectSame(() => ({ schema: named, query, rootValue: { a: {}, b: {} } }))
  expect(isCompiled).toBe(true)
})

test('a resolver is told what graphql-js tells it', async () => {
  const { isCompiled } = await expectSame(() => {
    const log: unknown[] = []
    const tell = (...[source, args, context, info]: [unknown, unknown, unknown, GraphQLResolveInfo]) => {
      const { schema, parentType, returnType, operation, fragments, fieldNodes, ...others } = info
      const types = [parentType === schema.getType(parentType.name), String(parentType), String(returnType)]
      log.push([source, args, context, others, types, operation, fragments, fieldNodes])
      return {}
    }
    const told = schemaOf(
      'type Query { l: [N] } interface N { o(x: Int = 3): O! } type O implements N { o(x: Int = 3): O! a: Int }',
      {
        O: { o: tell },
      },
    )
    const query =
      'query Q($x: Int!, $y: Boolean = true) { l { n: o(x: $x) { ...F a } } } fragment F on N { o @include(if: $y) { a } }'
    return {
      log,
      schema: told,
      query,
      rootValue: { l: [{ __typename: 'O' }, null] },
      contextValue: 'c',
      variableValues: { x: 4 },
    }
  })
  expect(isCompiled).toBe(true)
})
