import { Buffer } from 'node:buffer'
import { isDeepStrictEqual } from 'node:util'
import type { Workload } from '../workload/workload.ts'

/** What is around a result: nothing over SSE, and the operation's id over WebSocket. */
export type Envelope = { readonly transport: 'sse' } | { readonly transport: 'ws'; readonly id: string }

interface Reference {
  readonly bytes: Buffer
  readonly publishedAt: number
}

/** So much of a wrong message is shown. */
const MAX_SHOWN_LENGTH = 300

/**
 * Checks what the connections of a server get, tick by tick: every connection every event of the tick, once, in order,
 * and saying what it has to say.
 *
 * The first message of an event is parsed and compared with what is expected; those of the other connections are compared
 * with its bytes, which costs next to nothing, and parsed only if they are others.
 */
export class DeliveryCheck {
  readonly #workload: Workload
  readonly #onTick: () => void
  readonly #receivedCounts: Uint32Array
  #envelope: Envelope
  #references: Reference[] = []
  #firstSequence = 0
  #eventsPerTick = 0
  #missingCount = 0
  #latencies: number[] = []

  /** @param onTick is called when every connection has every event of the tick */
  constructor(connectionCount: number, workload: Workload, envelope: Envelope, onTick: () => void) {
    this.#workload = workload
    this.#envelope = envelope
    this.#onTick = onTick
    this.#receivedCounts = new Uint32Array(connectionCount)
  }

  /** Ticks follow. Outside of rounds nothing may arrive. */
  begin(firstSequence: number, eventsPerTick: number, envelope: Envelope): void {
    this.#envelope = envelope
    this.#firstSequence = firstSequence
    this.#eventsPerTick = eventsPerTick
    this.#latencies = []
    this.#beginTick()
  }

  /** How many messages of the tick under way have not arrived. */
  get missingCount(): number {
    return this.#missingCount
  }

  /**
   * The latency of each message since the round began, in microseconds.
   *
   * @throws Error if not every connection got so many
   */
  end(eventCount: number): readonly number[] {
    const latencies = this.#latencies
    const expectedCount = this.#receivedCounts.length * eventCount
    if (latencies.length !== expectedCount) {
      throw new Error(`${latencies.length} messages arrived instead of ${expectedCount}.`)
    }
    this.#eventsPerTick = 0
    this.#beginTick()
    return latencies
  }

  /** @throws Error if the message is not the one that the connection has to get next */
  receive(connection: number, message: Buffer, now: number): void {
    const index = this.#receivedCounts[connection] as number
    if (index >= this.#eventsPerTick) throw new Error(`More arrived than was published: ${shown(message)}`)
    let reference = this.#references[index]
    if (reference === undefined || !reference.bytes.equals(message)) {
      reference = this.#examine(message, this.#firstSequence + index, now)
      this.#references[index] ??= reference
    }
    this.#receivedCounts[connection] = index + 1
    this.#latencies.push(now - reference.publishedAt)
    this.#missingCount -= 1
    if (this.#missingCount > 0) return
    this.#firstSequence += this.#eventsPerTick
    this.#beginTick()
    this.#onTick()
  }

  #beginTick(): void {
    this.#references = []
    this.#receivedCounts.fill(0)
    this.#missingCount = this.#receivedCounts.length * this.#eventsPerTick
  }

  #examine(message: Buffer, sequence: number, now: number): Reference {
    const { field, make } = this.#workload
    const publishedAt = publishedAtIn(message)
    if (!(publishedAt <= now)) throw new Error(`It does not say when it was published: ${shown(message)}`)
    const payload = { data: { [field]: make(sequence, publishedAt) } }
    const expected = this.#envelope.transport === 'sse' ? payload : { id: this.#envelope.id, type: 'next', payload }
    if (!isDeepStrictEqual(parsed(message), expected)) {
      throw new Error(`Expected event ${sequence}, ${shown(JSON.stringify(expected))}, but got ${shown(message)}`)
    }
    return { bytes: Buffer.from(message), publishedAt }
  }
}

function publishedAtIn(message: Buffer): number {
  return Number(/"publishedAt":\s*(\d+(?:\.\d+)?)/.exec(message.toString())?.[1])
}

function parsed(message: Buffer): unknown {
  try {
    return JSON.parse(message.toString())
  } catch (cause) {
    throw new Error(`It is no JSON: ${shown(message)}`, { cause })
  }
}

function shown(message: Buffer | string): string {
  const text = message.toString()
  return text.length <= MAX_SHOWN_LENGTH ? text : `${text.slice(0, MAX_SHOWN_LENGTH)}…`
}
