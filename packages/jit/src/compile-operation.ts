import { compileQuery, isCompiledQuery } from 'graphql-jit'
import type { GraphQLSchema } from 'graphql'
import { CompiledOperation } from './compiled-operation.ts'
import { compilerInput } from './compiler-input.ts'
import type { Conditions } from './conditions.ts'
import { NotCompilable } from './not-compilable.ts'
import type { OperationInfo } from './resolve-info.ts'
import { selectFields } from './select-fields.ts'

/**
 * Compiles an operation for one combination of its conditions.
 *
 * @throws NotCompilable, or whatever the compiler throws: graphql-js has to execute it
 */
export function compileOperation(
  operation: OperationInfo,
  conditions: Conditions,
  maxFieldCount: number,
  replaySchema: () => GraphQLSchema,
): CompiledOperation {
  const { schema, fragments } = operation
  const root = selectFields({ schema, fragments, conditions }, operation.operation, maxFieldCount)
  let compiled: CompiledOperation | undefined
  const input = compilerInput(root, operation, () => {
    if (compiled !== undefined) compiled.isUnsupported = true
  })
  // Its errors are never shown: graphql-js finds them anew.
  const query = compileQuery(input.schema, input.document, '', { disablingCapturingStackErrors: true })
  if (!isCompiledQuery(query)) throw new NotCompilable('the compiler cannot do it')
  compiled = new CompiledOperation(query.query, replaySchema)
  return compiled
}
