/**
 * Microseconds on the clock that all processes of the machine share: the monotonic one, which `performance.now()` counts
 * from the start of each process.
 */
export function nowMicros(): number {
  return Number(process.hrtime.bigint()) / 1000
}
