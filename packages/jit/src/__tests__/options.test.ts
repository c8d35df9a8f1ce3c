import { execute, versionInfo } from 'graphql'
import { expect, test } from 'vitest'
import { type CompiledExecuteOptions, compiledExecute } from '../index.ts'
import { canCompile } from '../version.ts'

test('options have to be known, and whole numbers of at least 1', () => {
  for (const options of [
    { maxCompiledCount: 0 },
    { maxFieldCount: 1.5 },
    { maxCompiledCount: '5' },
    { max: 1 },
    null,
    5,
  ]) {
    expect(() => compiledExecute(options as CompiledExecuteOptions)).toThrow(/^\[compiledExecute\] the option/)
  }
  expect(compiledExecute({ maxCompiledCount: undefined, maxFieldCount: 1 })).toBeTypeOf('function')
})

test('operations are compiled with graphql 16 and with no other version', () => {
  expect([15, 16, 17, 18].filter((major) => canCompile({ major }))).toEqual([16])
  expect(canCompile(versionInfo)).toBe(true)
  expect(compiledExecute()).not.toBe(execute)
})
