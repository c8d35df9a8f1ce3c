import {
  defaultFieldResolver,
  defaultTypeResolver,
  type DocumentNode,
  execute,
  type ExecutionArgs,
  type ExecutionResult,
  type GraphQLSchema,
  isSchema,
  Kind,
  versionInfo,
} from 'graphql'
import { type CompiledExecuteOptions, compilerLimits } from './compiled-execute-options.ts'
import { CompiledOperations } from './compiled-operations.ts'
import { canCompile } from './version.ts'

/** Executes an operation as graphql-js does. */
export type CompiledExecute = (args: ExecutionArgs) => ExecutionResult | Promise<ExecutionResult>

/**
 * Compiled execution, for the option `execute` of the executor, or wherever graphql-js's `execute` stands: results, errors
 * included, are the same. An operation is compiled when it is executed for the first time, and once for each schema and
 * combination of its `@skip` and `@include` variables. What cannot be compiled is executed by graphql-js, as is whatever
 * results in an error.
 *
 * @example
 * ```ts
 * const executor = createSubscriptionExecutor({ schema, scope, execute: compiledExecute() })
 * ```
 *
 * @throws SluiceError BAD_CONFIG, naming the option that is wrong
 */
export function compiledExecute(options: CompiledExecuteOptions = {}): CompiledExecute {
  const limits = compilerLimits(options)
  if (!canCompile(versionInfo)) return execute
  const schemas = new WeakMap<GraphQLSchema, CompiledOperations>()

  const compiledFor = (schema: GraphQLSchema): CompiledOperations => {
    let compiled = schemas.get(schema)
    if (compiled === undefined) {
      compiled = new CompiledOperations(schema, limits)
      schemas.set(schema, compiled)
    }
    return compiled
  }

  return (args) => (isOrdinary(args) ? compiledFor(args.schema).execute(args) : undefined) ?? execute(args)
}

/** Whether the resolvers are those of the schema, and everything is what its type says: graphql-js says what is wrong. */
function isOrdinary({ schema, document, variableValues, fieldResolver, typeResolver }: ExecutionArgs): boolean {
  return (
    isSchema(schema) &&
    (document as DocumentNode | undefined)?.kind === Kind.DOCUMENT &&
    (variableValues === undefined || typeof variableValues === 'object') &&
    (fieldResolver ?? defaultFieldResolver) === defaultFieldResolver &&
    (typeResolver ?? defaultTypeResolver) === defaultTypeResolver
  )
}
