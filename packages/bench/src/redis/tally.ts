import type { Buffer } from 'node:buffer'
import { quantile } from '../statistics.ts'

/** What the clients got of the events that were published. */
export interface Arrivals {
  /** Messages that arrived, the repeated ones left out. */
  readonly deliveryCount: number
  readonly lostCount: number
  readonly repeatedCount: number
  /** Messages that came after a later one. */
  readonly disorderedCount: number
  /** From just before the event was published until its message was read, in microseconds. */
  readonly latencyMicros: { readonly p50: number; readonly p99: number }
}

/**
 * Counts what arrives at each client, event by event. Where `DeliveryCheck` fails, this counts: that something is missing is
 * what is measured.
 */
export class Tally {
  readonly #clientCount: number
  #received: Set<number>[] = []
  #latest: number[] = []
  #firstSequence = Number.POSITIVE_INFINITY
  #deliveryCount = 0
  #repeatedCount = 0
  #disorderedCount = 0
  #latencies: number[] = []
  #awaited: { readonly deliveryCount: number; readonly resolve: (isSo: boolean) => void } | undefined

  constructor(clientCount: number) {
    this.#clientCount = clientCount
  }

  /** Counts from here on, events of this number and more. */
  begin(firstSequence: number): void {
    this.#received = Array.from({ length: this.#clientCount }, () => new Set())
    this.#latest = Array.from({ length: this.#clientCount }, () => 0)
    this.#firstSequence = firstSequence
    this.#deliveryCount = 0
    this.#repeatedCount = 0
    this.#disorderedCount = 0
    this.#latencies = []
  }

  receive(client: number, message: Buffer, now: number): void {
    const sequence = numberIn(message, '"sequence":')
    if (sequence < this.#firstSequence) return
    const received = this.#received[client] as Set<number>
    if (received.has(sequence)) {
      this.#repeatedCount += 1
      return
    }
    received.add(sequence)
    if (sequence < (this.#latest[client] as number)) this.#disorderedCount += 1
    else this.#latest[client] = sequence
    this.#deliveryCount += 1
    this.#latencies.push(now - numberIn(message, '"publishedAt":'))
    if (this.#awaited !== undefined && this.#deliveryCount >= this.#awaited.deliveryCount) this.#awaited.resolve(true)
  }

  /** Resolves to whether everybody has so many events, as soon as it is so or when the time is over. */
  async arrived(eventCount: number, timeoutMs: number): Promise<boolean> {
    const deliveryCount = eventCount * this.#clientCount
    if (this.#deliveryCount >= deliveryCount) return true
    let timer: NodeJS.Timeout | undefined
    const isSo = await new Promise<boolean>((resolve) => {
      this.#awaited = { deliveryCount, resolve }
      timer = setTimeout(() => resolve(false), timeoutMs)
    })
    clearTimeout(timer)
    this.#awaited = undefined
    return isSo
  }

  /** @param eventCount how many were published and accepted since `begin` */
  end(eventCount: number): Arrivals {
    const latencies = this.#latencies.length === 0 ? [0] : this.#latencies
    return {
      deliveryCount: this.#deliveryCount,
      lostCount: Math.max(0, eventCount * this.#clientCount - this.#deliveryCount),
      repeatedCount: this.#repeatedCount,
      disorderedCount: this.#disorderedCount,
      latencyMicros: { p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) },
    }
  }
}

/** The number behind a key: parsing a whole message a hundred thousand times a second would be all that this process does. */
function numberIn(message: Buffer, key: string): number {
  const start = message.indexOf(key)
  if (start < 0) throw new Error(`A message has no ${key} in it: ${message.toString().slice(0, 300)}`)
  let value = 0
  for (let index = start + key.length; index < message.length; index += 1) {
    const digit = (message[index] as number) - 0x30
    if (digit < 0 || digit > 9) break
    value = value * 10 + digit
  }
  return value
}
