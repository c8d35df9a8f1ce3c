/** What a process holds after a full garbage collection, in bytes. */
export interface Memory {
  readonly rssBytes: number
  readonly heapBytes: number
}

/** @throws Error without `--expose-gc` */
export function measureMemory(): Memory {
  if (globalThis.gc === undefined) throw new Error('The process was started without --expose-gc.')
  // Twice: what finalizers let go in the first is collected in the second.
  globalThis.gc()
  globalThis.gc()
  const { rss, heapUsed } = process.memoryUsage()
  return { rssBytes: rss, heapBytes: heapUsed }
}
