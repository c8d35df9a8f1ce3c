import type { Socket } from 'node:net'

/** Counts what a socket writes from now on. */
export interface Writes {
  /** What reached the kernel: one call of `write` or `writev` each. */
  count: number
  /** The very buffers that were written. */
  readonly buffers: unknown[]
}

export function countWrites(socket: Socket): Writes {
  const writes: Writes = { count: 0, buffers: [] }
  const write = socket._write.bind(socket)
  const writev = socket._writev?.bind(socket)
  socket._write = (chunk, ...rest) => {
    writes.count += 1
    writes.buffers.push(chunk)
    write(chunk, ...rest)
  }
  socket._writev = (chunks, written) => {
    writes.count += 1
    writes.buffers.push(...chunks.map(({ chunk }) => chunk as unknown))
    writev?.(chunks, written)
  }
  return writes
}

/**
 * How many system calls the function takes where it takes the most: the least of some rounds, since on a busy machine the
 * work of a tick may be cut into slices.
 *
 * @param act is given the number of the round, from 0, and has to wait until everything has arrived
 */
export async function systemCallsFor(
  act: (round: number) => Promise<unknown>,
  writes: readonly Writes[],
  roundCount = 5,
): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let round = 0; round < roundCount; round += 1) {
    const before = writes.map(({ count }) => count)
    await act(round)
    least = Math.min(least, Math.max(...writes.map(({ count }, index) => count - (before[index] as number))))
  }
  return least
}
