import type { ExecutionArgs } from 'graphql'

const onReached: unique symbol = Symbol('called when the executor subscribes')

interface WatchedArgs extends ExecutionArgs {
  readonly [onReached]?: () => void
}

/** Arguments for somebody else's `subscribe`, and whether they led to the executor. */
export interface WatchedSubscribe {
  /** A copy; what copies it by spreading is watched too. */
  readonly args: ExecutionArgs
  /** Whether `executor.subscribe` was called with them, by whatever detour. */
  wasReached(): boolean
}

/**
 * For hosts and transports that call a `subscribe` which is not the executor's own: one that goes round the
 * executor goes round the scope, and its stream must not be used.
 */
export function watchSubscribe(args: ExecutionArgs): WatchedSubscribe {
  let reached = false
  const watched: WatchedArgs = {
    ...args,
    [onReached]: () => {
      reached = true
    },
  }
  return { args: watched, wasReached: () => reached }
}

/** Tells whoever watches these arguments that they have reached the executor. */
export function tellReached(args: WatchedArgs): void {
  args[onReached]?.()
}
