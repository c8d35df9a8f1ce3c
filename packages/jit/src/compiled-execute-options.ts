import { SluiceError } from '@sluice/core'

/** The options of {@link compiledExecute}. */
export interface CompiledExecuteOptions {
  /**
   * Compiled operations that are kept for each schema; beyond it the one that was not used for the longest time goes. An
   * operation counts once for each combination of its `@skip` and `@include` variables.
   * @default 500
   */
  readonly maxCompiledCount?: number | undefined
  /**
   * Fields of an operation, counted where fragments have been put in and for each possible type of an interface or union.
   * graphql-js executes larger ones: clients choose documents, and time and memory of the compiler grow with this number.
   * @default 500
   */
  readonly maxFieldCount?: number | undefined
}

/** The options with every default filled in. */
export interface CompilerLimits {
  readonly maxCompiledCount: number
  readonly maxFieldCount: number
}

/** Checks the options and fills in what is missing. @throws SluiceError BAD_CONFIG, naming the option. */
export function compilerLimits(options: CompiledExecuteOptions): CompilerLimits {
  if (typeof options !== 'object' || options === null) throw wrong('the options have to be an object')
  for (const name of Object.keys(options)) {
    if (name !== 'maxCompiledCount' && name !== 'maxFieldCount') throw wrong(`the option "${name}" does not exist`)
  }
  return {
    maxCompiledCount: count('maxCompiledCount', options.maxCompiledCount ?? 500),
    maxFieldCount: count('maxFieldCount', options.maxFieldCount ?? 500),
  }
}

function count(name: keyof CompilerLimits, value: number): number {
  if (!Number.isInteger(value) || value < 1) throw wrong(`the option "${name}" has to be an integer, at least 1`)
  return value
}

function wrong(what: string): SluiceError {
  return new SluiceError('BAD_CONFIG', `[compiledExecute] ${what}.`)
}
