import { buildSchema, type ExecutionArgs, parse } from 'graphql'
import { compileQuery } from 'graphql-jit'
import { beforeEach, expect, test, vi } from 'vitest'
import { compiledExecute } from '../index.ts'
import { isCompiled } from './same-result.ts'

vi.mock('graphql-jit', async (importOriginal) => {
  const original = await importOriginal<{ readonly compileQuery: typeof compileQuery }>()
  return { ...original, compileQuery: vi.fn(original.compileQuery) }
})

const compilations = vi.mocked(compileQuery)
beforeEach(() => void compilations.mockClear())

const sdl = 'type Query { a(x: Int): Int b: Int o: Query }'
const schema = buildSchema(sdl)
const rootValue = { a: 1, b: 2, o: { a: 3 } }

test('an operation is compiled once for 1,000 executions, whatever the data and the variables are', () => {
  const execute = compiledExecute()
  const document = parse('query ($x: Int) { a(x: $x) b o { a } }')
  for (let i = 0; i < 1000; i++) {
    const result = execute({ schema, document, rootValue: { a: i }, variableValues: { x: i }, operationName: null })
    expect(result).toEqual({ data: { a: i, b: null, o: null } })
  }
  expect(compilations).toHaveBeenCalledTimes(1)
})

test('each operation of a document is compiled once, and once for each combination of its conditions', () => {
  const execute = compiledExecute()
  const document = parse('query A($s: Boolean!, $x: Int) { a(x: $x) @skip(if: $s) b } query B { b }')
  for (let i = 0; i < 10; i++) {
    void execute({ schema, document, rootValue, operationName: 'B' })
    void execute({ schema, document, rootValue, operationName: 'A', variableValues: { s: i % 2 === 0, x: i } })
  }
  expect(compilations).toHaveBeenCalledTimes(3)
})

test('each schema has compiled code of its own', () => {
  const execute = compiledExecute()
  const document = parse('{ a }')
  const other = buildSchema('type Query { a: String }')
  for (let i = 0; i < 3; i++) {
    expect(execute({ schema, document, rootValue })).toEqual({ data: { a: 1 } })
    expect(execute({ schema: other, document, rootValue })).toEqual({ data: { a: '1' } })
  }
  expect(compilations).toHaveBeenCalledTimes(2)
})

test('what is kept is bounded, and what was not used for the longest time goes first', () => {
  const execute = compiledExecute({ maxCompiledCount: 2 })
  const [first, second, third] = ['{ a }', '{ b }', '{ a b }'].map((query) => parse(query)) as [never, never, never]
  const countAfter = (document: ExecutionArgs['document']) => {
    expect(isCompiled(execute({ schema, document, rootValue }))).toBe(true)
    return compilations.mock.calls.length
  }
  expect([first, second, first, third].map(countAfter)).toEqual([1, 2, 2, 3])
  expect([first, third].map(countAfter)).toEqual([3, 3])
  expect(countAfter(second)).toBe(4)
  expect(countAfter(first)).toBe(5)
})

test('of the combinations of conditions, which clients choose, a few are compiled', () => {
  const execute = compiledExecute()
  const names = ['p', 'q', 'r', 's', 't', 'u']
  const document = parse(
    `query (${names.map((n) => `$${n}: Boolean!`).join(' ')}) { ${names.map((n) => `${n}: a @skip(if: $${n})`).join(' ')} b }`,
  )
  for (let bits = 0; bits < 64; bits++) {
    const variableValues = Object.fromEntries(names.map((name, i) => [name, (bits & (1 << i)) !== 0]))
    const result = execute({ schema, document, rootValue, variableValues })
    const data = Object.fromEntries(names.flatMap((name) => (variableValues[name] === true ? [] : [[name, 1]])))
    expect(result).toEqual({ data: { ...data, b: 2 } })
  }
  expect(compilations).toHaveBeenCalledTimes(8)
})

test('compiled code goes with its schema', async () => {
  const execute = compiledExecute()
  const document = parse('{ a o { a } }')
  const use = () => {
    const temporary = buildSchema(sdl)
    expect(isCompiled(execute({ schema: temporary, document, rootValue }))).toBe(true)
    // An error, too, and what it needs.
    void execute({ schema: temporary, document, rootValue: { a: () => 'text' } })
    compilations.mockClear()
    return new WeakRef(temporary)
  }
  const reference = use()
  const { gc } = globalThis
  // What a WeakRef gave is kept until the end of the task.
  for (let i = 0; i < 20 && reference.deref() !== undefined; i++) {
    await new Promise((resolve) => setImmediate(resolve))
    gc?.()
  }
  expect(reference.deref()).toBeUndefined()
  expect(execute({ schema, document, rootValue })).toEqual({ data: { a: 1, o: { a: 3 } } })
})
