import {
  buildSchema,
  execute,
  type ExecutionArgs,
  type ExecutionResult,
  type GraphQLFieldResolver,
  type GraphQLSchema,
  parse,
} from 'graphql'
import { expect } from 'vitest'
import { type CompiledExecute, compiledExecute } from '../index.ts'

// biome-ignore lint/suspicious/noExplicitAny: resolvers say themselves what they are given
// oxlint-disable-next-line typescript/no-explicit-any -- resolvers say themselves what they are given
type Resolver = GraphQLFieldResolver<any, any>
type Resolvers = Readonly<Record<string, Readonly<Record<string, Resolver>>>>

/** A schema with resolvers by type and field; `__resolveType` and `__isTypeOf` are those of the type itself. */
export function schemaOf(sdl: string, resolvers: Resolvers = {}): GraphQLSchema {
  const schema = buildSchema(sdl)
  for (const [typeName, functions] of Object.entries(resolvers)) {
    const type = schema.getType(typeName)
    if (type === undefined) throw new Error(`no type ${typeName}`)
    for (const [name, resolver] of Object.entries(functions)) {
      if (name.startsWith('__')) Object.assign(type, { [name.slice(2)]: resolver })
      else if ('getFields' in type) Object.assign(type.getFields()[name] as object, { resolve: resolver })
    }
  }
  return schema
}

/** An execution, with data of its own: what is iterated or awaited in one is not used up for another. */
export interface Case extends Partial<Omit<ExecutionArgs, 'document' | 'schema'>> {
  readonly schema: GraphQLSchema
  readonly query: string
  /** What happened beside the result. */
  readonly log?: unknown[]
}

export interface Outcome {
  readonly result: ExecutionResult
  readonly log: readonly unknown[]
  /** Whether compiled code has made the result. Otherwise graphql-js has. */
  readonly isCompiled: boolean
}

/** Executes with graphql-js and compiled; both have to give the same, and to do the same beside it. */
export async function expectSame(make: () => Case, compiled: CompiledExecute = compiledExecute()): Promise<Outcome> {
  const expected = await outcomeOf(execute, make())
  const outcome = await outcomeOf(compiled, make())
  expect(outcome.result).toEqual(expected.result)
  expect(outcome.log).toEqual(expected.log)
  return outcome
}

async function outcomeOf(execution: CompiledExecute, { query, log = [], ...args }: Case): Promise<Outcome> {
  const result = await execution({ ...args, document: parse(query) })
  return { result: JSON.parse(JSON.stringify(result)) as ExecutionResult, log, isCompiled: isCompiled(result) }
}

/** graphql-js makes data without a prototype. */
export function isCompiled(result: ExecutionResult | Promise<ExecutionResult>): boolean {
  const { data } = result as ExecutionResult
  return data !== null && data !== undefined && Object.getPrototypeOf(data) === Object.prototype
}
