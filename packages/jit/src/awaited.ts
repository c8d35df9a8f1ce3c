import type { GraphQLResolveInfo } from 'graphql'
import type { Run } from './run.ts'

/** What compiled code takes for a promise. */
export interface Awaited {
  then(next: (value: unknown) => void): void
}

/**
 * The promise of a value, for compiled code. That counts what it waits for and looks at nothing else: on a value that it
 * fails on it would wait for ever, and leave a rejection to nobody. So it hears only of values that it can go on with.
 *
 * @param accept whether it can; it may throw
 */
export function awaited(
  promise: Promise<unknown>,
  run: Run,
  info: GraphQLResolveInfo | undefined,
  accept: (value: unknown, run: Run, info: GraphQLResolveInfo | undefined) => boolean,
): Awaited {
  const complete = (value: unknown, next: (value: unknown) => void): void => {
    if (run.isGivenUp) return
    try {
      if (accept(value, run, info)) {
        next(value)
        return
      }
    } catch {
      // A property of the value throws when it is read.
    }
    run.giveUp()
  }
  return {
    // oxlint-disable-next-line unicorn/no-thenable -- only compiled code gets it, and awaits nothing
    then(next) {
      promise.then(
        (value) => complete(value, next),
        () => run.giveUp(),
      )
    },
  }
}
