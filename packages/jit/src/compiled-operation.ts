import { execute, type ExecutionArgs, type ExecutionResult, type GraphQLSchema } from 'graphql'
import type { CompiledQuery } from 'graphql-jit'
import { isPromiseLike } from './is-promise-like.ts'
import type { OperationVariables, VariableInputs } from './operation-variables.ts'
import { Replay } from './replay.ts'
import { Run } from './run.ts'

/** After so many executions in a row that graphql-js had to finish, only every so-maniest is tried again. */
const patience = 8

/**
 * An operation that has been compiled. What compiled code completes without an error is the result. As soon as anything
 * else happens, graphql-js executes the operation, and so says which errors there are; resolvers that have been called are
 * not called again.
 */
export class CompiledOperation {
  /** Compiled code cannot do it after all. */
  isUnsupported = false
  /** Executions since compiled code was right. */
  #vainCount = 0
  readonly #query: CompiledQuery['query']
  readonly #replaySchema: () => GraphQLSchema

  constructor(query: CompiledQuery['query'], replaySchema: () => GraphQLSchema) {
    this.#query = query
    this.#replaySchema = replaySchema
  }

  execute(
    args: ExecutionArgs,
    variables: OperationVariables,
    coerced: VariableInputs | undefined,
  ): ExecutionResult | Promise<ExecutionResult> {
    if (this.#vainCount >= patience) {
      this.#vainCount += 1
      if (this.#vainCount % patience !== 0) return execute(args)
    }
    const run = new Run(args, variables, coerced)
    let result: ExecutionResult | Promise<ExecutionResult> | undefined
    try {
      result = this.#query(args.rootValue, run, undefined)
    } catch {
      // A property throws when it is read.
      run.giveUp()
    }
    if (result === undefined || run.isGivenUp) return this.#replay(run)
    if (!isPromiseLike(result)) return result.errors === undefined ? this.#succeed(result) : this.#replay(run)
    return this.#finish(run, result)
  }

  /** Compiled code waits for something; what it waits for may give the run up. */
  #finish(run: Run, compiled: Promise<ExecutionResult>): Promise<ExecutionResult> {
    return new Promise((resolve, reject) => {
      run.onGiveUp = () => {
        try {
          resolve(this.#replay(run))
        } catch (error) {
          reject(error)
        }
      }
      compiled.then(
        (result) => (result.errors === undefined ? resolve(this.#succeed(result)) : run.giveUp()),
        () => run.giveUp(),
      )
    })
  }

  #succeed(result: ExecutionResult): ExecutionResult {
    this.#vainCount = 0
    return result
  }

  #replay({ args, calls }: Run): ExecutionResult | Promise<ExecutionResult> {
    this.#vainCount += 1
    if (calls.length === 0) return execute(args)
    return execute({ ...args, schema: this.#replaySchema(), contextValue: new Replay(args.contextValue, calls) })
  }
}
