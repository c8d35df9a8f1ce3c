import type { GraphQLResolveInfo } from 'graphql'
import { expect, test } from 'vitest'
import { expectSame, schemaOf } from './same-result.ts'

const sdl = `
  type Query { i: I l: [[I!]] u: [U] o: O }
  interface I { a: String } union U = O | P
  type O implements I { a: String o: I } type P implements I { a: String p: Int } type Q { a: String }
`
const query =
  '{ i { __typename a ... on P { p } } l { ...F } u { ... on I { a } ...F } } fragment F on I { t: __typename ... on O { o { a } } }'
const rootValue = {
  i: { __typename: 'P', a: 'a', p: 5 },
  l: [
    [
      { __typename: 'O', o: { __typename: 'P', a: 'x' } },
      { __typename: 'O', o: { __typename: 'P', a: 'y' } },
    ],
    null,
  ],
  u: [null, { __typename: 'O', a: 'a' }],
}

test('interfaces and unions are compiled, by __typename and by resolveType', async () => {
  const schema = schemaOf(sdl)
  expect((await expectSame(() => ({ schema, query, rootValue }))).isCompiled).toBe(true)
  const resolveType = ({ __typename }: { __typename: string }) => __typename
  const resolved = schemaOf(sdl, { I: { __resolveType: resolveType }, U: { __resolveType: resolveType } })
  expect((await expectSame(() => ({ schema: resolved, query, rootValue }))).isCompiled).toBe(true)
})

test('the type of nothing can be found if there is neither __typename nor a function', async () => {
  const schema = schemaOf(sdl, { Query: { u: () => Promise.resolve([{}, 5]) } })
  await expectSame(() => ({ schema, query: '{ i { a } u { __typename } }', rootValue: { i: { a: 'a' } } }))
})

test.each([
  () => 'Nobody',
  () => 'Q',
  () => 'I',
  () => undefined,
  () => 5,
  (_: unknown, __: unknown, info: GraphQLResolveInfo) => info.schema.getType('O'),
  () => Promise.resolve('O'),
  () => Promise.reject(new Error('x')),
  () => {
    throw new Error('x')
  },
])('what resolveType gives or throws is taken as graphql-js takes it: %s', async (resolveType) => {
  const schema = schemaOf(sdl, { I: { __resolveType: resolveType } })
  await expectSame(() => ({ schema, query: '{ i { a } }', rootValue }))
  await expectSame(() => ({ schema, query: '{ l { a } }', rootValue }))
})

test('resolveType is given the context value, the info of its field, and the type', async () => {
  await expectSame(() => {
    const log: unknown[] = []
    const resolveType = (...[, context, info, type]: [unknown, unknown, GraphQLResolveInfo, unknown]) => {
      const { fieldName, parentType, returnType, path } = info
      log.push([context, fieldName, String(parentType), String(returnType), path, info.schema.getType('I') === type])
      return 'O'
    }
    const schema = schemaOf(sdl, { I: { __resolveType: resolveType } })
    return {
      log,
      schema,
      query: '{ i { a } x: l { a ... on O { o { a } } } }',
      rootValue,
      contextValue: 7,
    }
  })
})

test('isTypeOf is asked, with the context value and the info, and so often as graphql-js asks', async () => {
  const { isCompiled } = await expectSame(() => {
    const log: unknown[] = []
    const isTypeOf =
      (name: string) => (value: { __typename?: string; kind?: string }, context: unknown, info: GraphQLResolveInfo) => {
        log.push([name, value, context, info.fieldName, info.path])
        return (value.__typename ?? value.kind) === name
      }
    const schema = schemaOf(sdl, { O: { __isTypeOf: isTypeOf('O') }, P: { __isTypeOf: isTypeOf('P') } })
    const i = { kind: 'P', a: 'a' }
    return {
      log,
      schema,
      query: `{ o { a } i { a } l { __typename a } u { __typename } }`,
      rootValue: { i, o: { kind: 'O' }, l: [[i, i]], u: [i] },
      contextValue: 7,
    }
  })
  expect(isCompiled).toBe(true)
})

test.each([
  () => false,
  () => 1,
  () => Promise.resolve(false),
  () => Promise.resolve(true),
  () => Promise.reject(new Error('x')),
  () => {
    throw new Error('x')
  },
])('what isTypeOf gives or throws is taken as graphql-js takes it: %s', async (isTypeOf) => {
  const schema = schemaOf(sdl, { O: { __isTypeOf: isTypeOf } })
  await expectSame(() => ({ schema, query: '{ o { a } }', rootValue: { o: { a: 'a' } } }))
  await expectSame(() => ({
    schema,
    query: '{ i { a } u { __typename } }',
    rootValue: { i: {}, u: [{}, { __typename: 'O' }] },
  }))
})
