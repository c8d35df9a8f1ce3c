import { until } from '../until.ts'

/** Something that has to be opened before those who came to it go on. */
export interface Gate {
  /** Waits at the gate. */
  pass(): Promise<void>
  open(): void
  /** Resolves when so many have come to it. */
  reached(count: number): Promise<void>
}

export function createGate(): Gate {
  let count = 0
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return {
    pass() {
      count += 1
      return opened
    },
    open,
    reached: (expected) =>
      until(
        () => count >= expected,
        () => `${expected} have come to the gate, not ${count}`,
      ),
  }
}
