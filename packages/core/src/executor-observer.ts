/**
 * Is told of what cannot be counted but has to be measured: for histograms. Its methods are called in the hot path, once
 * per group and event at most, whatever the number of subscribers; `firstDelivered` once in the life of a subscription.
 * They have to be quick; what they throw is reported.
 */
export interface ExecutorObserver {
  /** An event was executed for a group: its context, filter and execution took so many milliseconds. */
  executed?(durationMs: number): void
  /** A response became bytes: so many, without what a transport adds. */
  serialized?(sizeBytes: number): void
  /**
   * The response to an event was handed to the last subscriber of its group, so many milliseconds after it was published
   * by the publisher's clock. Subscribers whose transport pushes have it on its way to their socket then.
   */
  delivered?(latencyMs: number): void
  /** A subscription got its first response, so many milliseconds after it began: once in its life. */
  firstDelivered?(waitMs: number): void
}

/** Tells several observers as one; `undefined` if there is none. A failure of one of them reaches no other. */
export function composeObservers(
  observers: readonly ExecutorObserver[],
  report: (error: unknown) => void,
): ExecutorObserver | undefined {
  if (observers.length === 0) return undefined
  const tell = (kind: keyof ExecutorObserver, value: number): void => {
    for (const observer of observers) {
      try {
        observer[kind]?.(value)
      } catch (error) {
        report(error)
      }
    }
  }
  return {
    executed: (durationMs) => tell('executed', durationMs),
    serialized: (sizeBytes) => tell('serialized', sizeBytes),
    delivered: (latencyMs) => tell('delivered', latencyMs),
    firstDelivered: (waitMs) => tell('firstDelivered', waitMs),
  }
}
