import { quantile } from './quantile.ts'

/** One way to carry an event from a publisher to a subscriber of another connection. */
export interface Carrier {
  readonly name: string
  /** Calls back with the id of each event that arrives. */
  subscribe(onEvent: (id: number) => void): Promise<void>
  publish(id: number): Promise<unknown>
  close(): Promise<void>
}

export interface DeliveryResult {
  readonly name: string
  /** From the call of `publish` to the subscriber, one event after another, in milliseconds. */
  readonly p50Ms: number
  readonly p99Ms: number
  /** With so many publishes under way: delivered events a second. */
  readonly perSecond: number
  readonly lostCount: number
}

const inFlightCount = 500

/** Measures one carrier: single events, then as many as it takes. */
export async function measureDelivery(
  carrier: Carrier,
  singleCount: number,
  batchCount: number,
): Promise<DeliveryResult> {
  const sentAt = new Map<number, number>()
  const latencies: number[] = []
  let arrived = 0
  let onArrival: () => void = () => {}
  await carrier.subscribe((id) => {
    arrived += 1
    const at = sentAt.get(id)
    if (at !== undefined) latencies.push(performance.now() - at)
    onArrival()
  })
  const arrivedBy = (count: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, 30_000)
      onArrival = () => {
        if (arrived < count) return
        clearTimeout(timer)
        resolve()
      }
      onArrival()
    })
  for (let id = 1; id <= singleCount; id += 1) {
    sentAt.set(id, performance.now())
    await carrier.publish(id)
    await arrivedBy(id)
  }
  const startedAt = performance.now()
  let next = singleCount + 1
  await Promise.all(
    Array.from({ length: inFlightCount }, async () => {
      while (next <= singleCount + batchCount) {
        const id = next
        next += 1
        await carrier.publish(id)
      }
    }),
  )
  await arrivedBy(singleCount + batchCount)
  const seconds = (performance.now() - startedAt) / 1_000
  await carrier.close()
  return {
    name: carrier.name,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    perSecond: (arrived - singleCount) / seconds,
    lostCount: singleCount + batchCount - arrived,
  }
}
