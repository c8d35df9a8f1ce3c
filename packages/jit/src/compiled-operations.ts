import { type ExecutionArgs, type ExecutionResult, type GraphQLSchema, validateSchema } from 'graphql'
import { LRUCache } from 'lru-cache'
import { compileOperation } from './compile-operation.ts'
import type { CompilerLimits } from './compiled-execute-options.ts'
import type { CompiledOperation } from './compiled-operation.ts'
import { findOperation, type KnownOperation, type OperationVariant } from './operation-lookup.ts'
import { OperationVariables } from './operation-variables.ts'
import { replaySchema } from './replay-schema.ts'

/** In place of an operation that graphql-js executes. */
const notCompilable: unique symbol = Symbol('not compilable')

const noVariables = {}

/** What has been compiled for one schema: so many operations, and with the schema it is gone. */
export class CompiledOperations {
  readonly #schema: GraphQLSchema
  readonly #maxFieldCount: number
  /** Otherwise graphql-js says what is wrong with the schema. */
  readonly #isUsable: boolean
  readonly #operations: LRUCache<OperationVariant, CompiledOperation | typeof notCompilable>
  readonly #variables = new WeakMap<KnownOperation, OperationVariables>()
  #replaySchema: GraphQLSchema | undefined

  constructor(schema: GraphQLSchema, { maxCompiledCount, maxFieldCount }: CompilerLimits) {
    this.#schema = schema
    this.#maxFieldCount = maxFieldCount
    this.#isUsable = validateSchema(schema).length === 0
    this.#operations = new LRUCache({ max: maxCompiledCount })
  }

  /** Executes what has been compiled, or is compiled now. `undefined` if graphql-js has to execute it. */
  execute(args: ExecutionArgs): ExecutionResult | Promise<ExecutionResult> | undefined {
    const known = this.#isUsable ? findOperation(args.document, args.operationName) : undefined
    if (known === undefined) return undefined
    const variables = this.#variablesOf(known)
    const prepared = variables.prepare(args.variableValues ?? noVariables)
    if (prepared === undefined) return undefined
    return this.#compiled(known, prepared.variant)?.execute(args, variables, prepared.coerced)
  }

  #variablesOf(known: KnownOperation): OperationVariables {
    let variables = this.#variables.get(known)
    if (variables === undefined) {
      variables = new OperationVariables(this.#schema, known)
      this.#variables.set(known, variables)
    }
    return variables
  }

  #compiled(known: KnownOperation, variant: OperationVariant): CompiledOperation | undefined {
    let compiled = this.#operations.get(variant)
    if (compiled === undefined) {
      compiled = this.#compile(known, variant)
      this.#operations.set(variant, compiled)
    }
    return compiled === notCompilable || compiled.isUnsupported ? undefined : compiled
  }

  #compile(
    { operation, fragments }: KnownOperation,
    { conditions }: OperationVariant,
  ): CompiledOperation | typeof notCompilable {
    const info = { schema: this.#schema, fragments, operation }
    try {
      return compileOperation(info, conditions, this.#maxFieldCount, () => this.#schemaForReplays())
    } catch {
      // Whatever it was, graphql-js says it where it is an error.
      return notCompilable
    }
  }

  #schemaForReplays(): GraphQLSchema {
    this.#replaySchema ??= replaySchema(this.#schema)
    return this.#replaySchema
  }
}
