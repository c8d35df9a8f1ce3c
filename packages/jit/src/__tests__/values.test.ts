import { expect, test } from 'vitest'
import { expectSame, schemaOf } from './same-result.ts'

const sdl = 'type Query { o: O l: [O] n: [[Int]] a(x: Int = 3): String } type O { a(x: Int = 3): String o: O l: [O] }'

test('a property that is a function is called with the arguments, the context value and the info', async () => {
  const call = (...[args, context, info]: [unknown, unknown, { fieldName: string }]) =>
    JSON.stringify([args, context, info.fieldName])
  const o = { name: 'x', a: call, o: () => ({ a: call }), l: () => [{ a: call }] }
  const { result } = await expectSame(() => ({
    schema: schemaOf(sdl),
    query: '{ a(x: 1) o { a o { a } l { a(x: 2) } } }',
    rootValue: { a: call, o },
    contextValue: { c: 1 },
  }))
  expect(result.data).toMatchObject({ a: '[{"x":1},{"c":1},"a"]' })
})

test('a method is called on its object', async () => {
  class Source {
    readonly #name = 'private'
    a(): string {
      return this.#name
    }
    get o(): Source {
      return new Source()
    }
  }
  await expectSame(() => ({ schema: schemaOf(sdl), query: '{ o { a o { a } } }', rootValue: { o: new Source() } }))
})

test('a property that is a promise is awaited', async () => {
  const later = <T>(value: T) => Promise.resolve(value)
  const { result } = await expectSame(() => ({
    schema: schemaOf(sdl),
    query: '{ a o { a o { a } l { a } } l { a } n }',
    rootValue: {
      a: later('a'),
      o: later({ a: later('a'), o: later({ a: 'x' }), l: [later({ a: 1 }), null] }),
      l: later([later({ a: 1 })]),
      n: [later([later(1), 2]), later(null)],
    },
  }))
  expect(result.errors).toBeUndefined()
})

test('a rejected item of a list is null, and the others stay where they are', async () => {
  const schema = schemaOf('type Query { l: [Int] }', { Query: { l: () => [Promise.reject(new Error('x')), 2, 3] } })
  const { result } = await expectSame(() => ({ schema, query: '{ l }' }))
  expect(result.data).toEqual({ l: [null, 2, 3] })
})

test('what can be iterated once is iterated once', async () => {
  function* objects() {
    yield { a: 'a', l: [5].values() }
    yield { a: {} }
  }
  const schema = schemaOf(sdl, { Query: { l: objects } })
  await expectSame(() => ({ schema, query: '{ l { a l { a } } n }', rootValue: { n: new Set([[1].values(), [2]]) } }))
  const once = () => {
    const iterator = [{ a: 'a' }].values()
    return Object.assign([{ a: 'not this' }], { [Symbol.iterator]: () => iterator })
  }
  await expectSame(() => ({ schema: schemaOf(sdl), query: '{ l { a } }', rootValue: { l: once() } }))
})

test('a property that throws when it is read is an error', async () => {
  const rude = () => ({
    get a(): string {
      throw new Error('rude')
    },
    get o(): object {
      throw new Error('ruder')
    },
  })
  const { result } = await expectSame(() => ({
    schema: schemaOf(sdl, { Query: { l: () => Promise.resolve([rude(), {}]) } }),
    query: '{ o { a o { a } } l { a o { a } } }',
    rootValue: { o: rude() },
  }))
  expect(result.errors).toHaveLength(4)
})

test('a property is read once if nothing goes wrong', async () => {
  const { log, isCompiled } = await expectSame(() => {
    const log: string[] = []
    const source = (depth: number): object => ({
      get a() {
        log.push(`a${depth}`)
        return 'a'
      },
      get o() {
        log.push(`o${depth}`)
        return depth === 0 ? null : source(depth - 1)
      },
      get l() {
        log.push(`l${depth}`)
        return [{ a: 1 }]
      },
    })
    return {
      log: [],
      schema: schemaOf(sdl),
      query: '{ o { a o { a o { a } l { a } } } }',
      rootValue: { o: source(2) },
      contextValue: log,
    }
  })
  expect(isCompiled).toBe(true)
  expect(log).toEqual([])
})

test('strings and numbers have no fields', async () => {
  const schema = schemaOf('type Query { o: [O] } type O { length: Int toFixed: String up: String }', {
    O: { up: (source: unknown) => `from ${typeof source}` },
  })
  const { result } = await expectSame(() => ({
    schema,
    query: '{ o { length toFixed up } }',
    rootValue: { o: ['abc', 5] },
  }))
  expect(result.data?.['o']).toEqual([
    { length: null, toFixed: null, up: 'from string' },
    { length: null, toFixed: null, up: 'from number' },
  ])
})

test('the length of a string is no field of it', async () => {
  const schema = schemaOf('type Query { o: O i: I } interface I { length: Int } type O implements I { length: Int }', {
    I: { __resolveType: () => 'O' },
  })
  await expectSame(() => ({ schema, query: '{ o { length } }', rootValue: { o: 'abc' } }))
  await expectSame(() => ({ schema, query: '{ i { length } }', rootValue: { i: 'abc' } }))
})

test('a property that is a function is called also for a scalar that takes anything', async () => {
  const schema = schemaOf('scalar Any type Query { o: O } type O { any: Any }')
  const any = () => 'called'
  const { result } = await expectSame(() => ({ schema, query: '{ o { any } }', rootValue: { o: { any } } }))
  expect(result.data).toEqual({ o: { any: 'called' } })
})

test('objects whose fields are all resolved may be strings, and are compiled', async () => {
  const schema = schemaOf('type Query { o: [O] } type O { name: String }', {
    O: { name: (id: string) => `name of ${id}` },
  })
  const { isCompiled } = await expectSame(() => ({ schema, query: '{ o { name } }', rootValue: { o: ['a', 'b'] } }))
  expect(isCompiled).toBe(true)
})

test('fields may have names that every object has', async () => {
  const schema = schemaOf('type Query { o: [O] } type O { constructor: String toString: String hasOwnProperty: Int }')
  const rootValue = { o: [{}, { constructor: 'c', toString: 's', hasOwnProperty: 1 }, Object.create(null)] }
  await expectSame(() => ({
    schema,
    query: '{ o { constructor toString hasOwnProperty valueOf: toString } }',
    rootValue,
  }))
})

test('what has a method "then" is awaited once, also if something else goes wrong', async () => {
  const { log } = await expectSame(() => {
    const log: string[] = []
    const query = {
      // oxlint-disable-next-line unicorn/no-thenable -- queries of some databases begin when they are awaited
      then(next: (value: unknown) => unknown) {
        log.push('awaited')
        return Promise.resolve({ a: 'a' }).then(next)
      },
    }
    const fail = () => Promise.reject(new Error('x'))
    return { log, schema: schemaOf(sdl, { Query: { o: () => query, a: fail } }), query: '{ o { a } a }' }
  })
  expect(log).toEqual(['awaited'])
})

test('items of lists are awaited once, and what throws in them is an error', async () => {
  const { log } = await expectSame(() => {
    const log: string[] = []
    const item = {
      // oxlint-disable-next-line unicorn/no-thenable -- as above
      then(next: (value: unknown) => unknown) {
        log.push('awaited')
        return Promise.resolve({ a: 'a' }).then(next)
      },
    }
    const rude = Promise.resolve({
      get a() {
        throw new Error('rude')
      },
    })
    return { log, schema: schemaOf(sdl), query: '{ l { a } }', rootValue: { l: [item, rude, null] } }
  })
  expect(log).toEqual(['awaited'])
})

test('a function with a method "then" is awaited', async () => {
  // oxlint-disable-next-line unicorn/no-thenable -- some libraries have such
  const callable = () => Object.assign(() => 1, { then: (next: (value: string) => void) => next('x') })
  await expectSame(() => ({ schema: schemaOf(sdl, { Query: { a: callable } }), query: '{ a }' }))
})

test('a resolver that gives a function is an error where graphql-js says so', async () => {
  await expectSame(() => ({
    schema: schemaOf(sdl, { Query: { a: () => () => 1, o: () => () => 1 } }),
    query: '{ a o { a } }',
  }))
})
