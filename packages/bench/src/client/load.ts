import { Buffer } from 'node:buffer'
import { connect, type Socket } from 'node:net'
import { nowMicros } from '../clock.ts'
import { quantile } from '../statistics.ts'
import { type WorkloadName, workloads } from '../workload/workload.ts'
import type { Address, Connection } from './connection.ts'
import { DeliveryCheck, type Envelope } from './delivery-check.ts'
import { openEventStream } from './event-stream-connection.ts'
import { textFrame } from './masked-frame.ts'
import { openWebSocket, type WebSocketConnection } from './web-socket-connection.ts'

/** What a server is loaded with. */
export interface LoadOptions {
  readonly transport: 'ws' | 'sse'
  readonly address: Address
  /** Where the server hears that a tick has arrived everywhere. */
  readonly acknowledgementPort: number
  readonly connectionCount: number
  readonly workload: WorkloadName
}

/** What arrived in a round. */
export interface RoundAtClient {
  readonly deliveryCount: number
  /** From just before the event was published until its message was read, in microseconds. */
  readonly latencyMicros: { readonly p50: number; readonly p99: number }
}

/** How many connections are opened at a time. */
const BATCH_SIZE = 50

/**
 * Many clients of one server, each with one connection and one subscription, in one process. Whatever they get that is not
 * what they have to get is a failure.
 */
export class Load {
  readonly #options: LoadOptions
  readonly #fail: (error: Error) => void
  readonly #check: DeliveryCheck
  readonly #connections: Connection[] = []
  readonly #sockets: WebSocketConnection[] = []
  #acknowledgements: Socket | undefined
  #operationId = '1'

  constructor(options: LoadOptions, fail: (error: Error) => void) {
    this.#options = options
    this.#fail = fail
    this.#check = new DeliveryCheck(
      options.connectionCount,
      workloads[options.workload],
      this.#envelope(),
      () => void this.#acknowledgements?.write('.'),
    )
  }

  /** Opens the connections and subscribes on each. Over WebSocket nothing tells when the server has done so. */
  async open(): Promise<void> {
    const { connectionCount, acknowledgementPort } = this.#options
    this.#acknowledgements = await openAcknowledgements(acknowledgementPort)
    for (let first = 0; first < connectionCount; first += BATCH_SIZE) {
      const length = Math.min(BATCH_SIZE, connectionCount - first)
      await Promise.all(Array.from({ length }, (_, index) => this.#connect(first + index)))
    }
    for (const socket of this.#sockets) socket.send(this.#subscribeFrame())
  }

  /** Events of this number and more follow, so many a tick. */
  begin(round: { readonly firstSequence: number; readonly eventsPerTick: number }): void {
    this.#check.begin(round.firstSequence, round.eventsPerTick, this.#envelope())
  }

  /** How many messages of the tick under way have not arrived. */
  get missingCount(): number {
    return this.#check.missingCount
  }

  /** @throws Error if not every client got so many events */
  end(eventCount: number): RoundAtClient {
    const latencies = this.#check.end(eventCount)
    const latencyMicros =
      latencies.length === 0 ? { p50: 0, p99: 0 } : { p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) }
    return { deliveryCount: latencies.length, latencyMicros }
  }

  /** Every socket completes its operation and subscribes anew, under another id. */
  resubscribe(): void {
    const complete = textFrame(JSON.stringify({ id: this.#operationId, type: 'complete' }))
    this.#operationId = this.#operationId === '1' ? '2' : '1'
    // In one piece, so that the server reads both at once.
    const both = Buffer.concat([complete, this.#subscribeFrame()])
    for (const socket of this.#sockets) socket.send(both)
  }

  close(): void {
    for (const connection of this.#connections) connection.close()
    this.#acknowledgements?.destroy()
  }

  async #connect(index: number): Promise<void> {
    const { address, transport, workload } = this.#options
    const handlers = {
      message: (message: Buffer) => this.#check.receive(index, message, nowMicros()),
      failed: (error: Error) => this.#fail(new Error(`Client ${index}: ${error.message}`)),
    }
    if (transport === 'sse') {
      this.#connections.push(await openEventStream(address, `user-${index}`, workloads[workload].query, handlers))
      return
    }
    const socket = await openWebSocket(address, `user-${index}`, handlers)
    this.#sockets.push(socket)
    this.#connections.push(socket)
  }

  #envelope(): Envelope {
    return this.#options.transport === 'sse' ? { transport: 'sse' } : { transport: 'ws', id: this.#operationId }
  }

  #subscribeFrame(): Buffer {
    const { query } = workloads[this.#options.workload]
    return textFrame(JSON.stringify({ id: this.#operationId, type: 'subscribe', payload: { query } }))
  }
}

function openAcknowledgements(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true }, () => resolve(socket))
    socket.once('error', reject)
  })
}
