import { setImmediate as turn } from 'node:timers/promises'

/** What the heap holds when nothing is left to collect, in bytes. */
export async function heapBytes(): Promise<number> {
  for (let round = 0; round < 5; round += 1) {
    await turn()
    collect('major')
  }
  return process.memoryUsage().heapUsed
}

/**
 * How many bytes the function allocates, what it forgets at once among them: the least of some rounds, since now and then
 * V8 allocates something of its own. What it allocates in a round has to fit into V8's young generation, half a megabyte.
 *
 * @param roundCount how many at most. Code allocates less once V8 has compiled it, which it does in its own time
 * @param enough no more rounds once it was fewer bytes than this
 *
 * @throws Error if the heap was collected in every round, which it is not as long as little is allocated
 */
export async function bytesAllocatedBy(act: () => unknown, roundCount = 20, enough = 0): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let round = 0; round < roundCount && least >= enough; round += 1) {
    collect('minor')
    const before = process.memoryUsage().heapUsed
    await act()
    const allocated = process.memoryUsage().heapUsed - before
    if (allocated >= 0) least = Math.min(least, allocated)
  }
  if (least === Number.POSITIVE_INFINITY) throw new Error('The heap was collected in every round.')
  return least
}

function collect(type: 'minor' | 'major'): void {
  if (globalThis.gc === undefined) throw new Error('Run Node with --expose-gc.')
  globalThis.gc({ type, execution: 'sync' })
}
