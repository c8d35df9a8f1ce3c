import type { ExecutionArgs, GraphQLResolveInfo } from 'graphql'
import { isPromiseLike } from './is-promise-like.ts'
import type { OperationVariables, VariableInputs } from './operation-variables.ts'

type Path = GraphQLResolveInfo['path']

/** What a resolver gave, or threw. */
export interface ResolverCall {
  readonly path: Path
  readonly threw: boolean
  readonly value: unknown
}

/**
 * One execution of compiled code. The compiled code takes it for the context value, and hands it to everything that it
 * calls.
 *
 * It is given up as soon as something happens that only graphql-js does right: then graphql-js executes the operation, and
 * the resolvers that have been called are not called again.
 */
export class Run {
  readonly args: ExecutionArgs
  readonly calls: ResolverCall[] = []
  /** For fields of an abstract type: the info that belongs to the value that is being completed, by the field's index. */
  readonly infos: (GraphQLResolveInfo | undefined)[] = []
  isGivenUp = false
  /** Is called when the run is given up. */
  onGiveUp: (() => void) | undefined

  readonly #operationVariables: OperationVariables
  #variables: VariableInputs | undefined

  constructor(args: ExecutionArgs, variables: OperationVariables, coerced: VariableInputs | undefined) {
    this.args = args
    this.#operationVariables = variables
    this.#variables = coerced
  }

  /** The coerced variables. They are coerced when they are first asked for, which is before the run waits for anything. */
  get variables(): VariableInputs {
    this.#variables ??= this.#operationVariables.coerce(this.args.variableValues ?? {})
    return this.#variables
  }

  /** Calls a resolver, and keeps what it gives or throws. A promise of any kind becomes one of the language's. */
  record(path: Path, call: () => unknown): unknown {
    let value: unknown
    try {
      value = call()
    } catch (error) {
      this.calls.push({ path, threw: true, value: error })
      throw error
    }
    // One that is none may begin its work anew each time that it is awaited.
    if (isPromiseLike(value)) value = Promise.resolve(value)
    this.calls.push({ path, threw: false, value })
    return value
  }

  giveUp(): void {
    if (this.isGivenUp) return
    this.isGivenUp = true
    this.onGiveUp?.()
  }
}
