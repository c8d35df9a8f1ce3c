import { createHook } from 'node:async_hooks'

/**
 * How many promises are made by the function and by what follows from it before anything is read from a socket: the least
 * of some rounds, since the test runner makes promises too. A few are its own.
 */
export async function promisesMadeBy(act: () => unknown, roundCount = 5): Promise<number> {
  let count = 0
  const hook = createHook({
    init(_id, type) {
      if (type === 'PROMISE') count += 1
    },
  })
  let least = Number.POSITIVE_INFINITY
  for (let round = 0; round < roundCount; round += 1) {
    count = 0
    hook.enable()
    await act()
    // What has been settled goes on, and what that settles, and so on.
    for (let tick = 0; tick < 10; tick += 1) await new Promise<void>((resolve) => process.nextTick(resolve))
    hook.disable()
    least = Math.min(least, count)
  }
  return least
}
