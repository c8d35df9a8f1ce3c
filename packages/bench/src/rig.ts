import { setTimeout as delay } from 'node:timers/promises'
import type { ClientCommands } from './processes/client-process.ts'
import { type Launch, launch } from './processes/launch.ts'
import type { Memory } from './processes/memory.ts'
import type { RoundOptions, ServerCommands, StartOptions } from './processes/server-process.ts'
import { Remote } from './rpc/remote.ts'
import type { Transport } from './servers/server-registry.ts'

/** One server in a process of its own, and its clients in another. */
export interface RigOptions extends StartOptions {
  readonly label: string
  readonly transport: Transport
  readonly socketCount: number
  readonly launch: Launch
}

/** What one round of a server came to. Times are in microseconds. */
export interface RigRound {
  /** Messages that arrived, or operations that were started. */
  readonly operationCount: number
  readonly cpuMicros: number
  readonly elapsedMicros: number
  readonly latencyMicros: { readonly p50: number; readonly p99: number } | null
  readonly clientCpuMicros: number | null
}

/** How long a server may take beyond the duration of a round, in milliseconds. */
const GRACE_MS = 30_000

/** After the last subscription was started; some servers do the rest of it a little later. */
const SETTLE_MS = 100

export class Rig {
  readonly #options: RigOptions
  readonly #server: Remote<ServerCommands>
  readonly #client: Remote<ClientCommands>
  #startedCount: number

  private constructor(options: RigOptions, server: Remote<ServerCommands>, client: Remote<ClientCommands>) {
    this.#options = options
    this.#server = server
    this.#client = client
    this.#startedCount = options.socketCount
  }

  /**
   * Starts both, connects and subscribes. Resolves to the reason if the server is not available.
   *
   * @throws Error if one of them breaks
   */
  static async start(options: RigOptions): Promise<Rig | { readonly notAvailable: string }> {
    const { label, transport, socketCount, launch: from, ...startOptions } = options
    const { workload } = startOptions
    const server = new Remote<ServerCommands>(launch('server-process', from), label)
    const client = new Remote<ClientCommands>(launch('client-process', from), `the clients of ${label}`)
    const rig = new Rig(options, server, client)
    try {
      const started = await server.call('start', startOptions)
      if ('notAvailable' in started) {
        await rig.stop()
        return started
      }
      const { port, path, acknowledgementPort } = started
      await rig.#both(
        client.call('open', {
          transport,
          address: { port, path },
          acknowledgementPort,
          connectionCount: socketCount,
          workload,
        }),
      )
      await rig.#both(server.call('started', socketCount))
      await delay(SETTLE_MS)
      return rig
    } catch (error) {
      await rig.stop()
      throw error
    }
  }

  /** One round of events, every one of them checked at every client. @throws Error if one is missing or wrong */
  async round({ durationMs, eventsPerTick }: RoundOptions): Promise<RigRound> {
    const firstSequence = await this.#server.call('nextSequence', null)
    await this.#client.call('begin', { firstSequence, eventsPerTick })
    const timeoutMs = durationMs + GRACE_MS
    const { eventCount, ...cost } = await this.#both(
      this.#server.call('round', { durationMs, eventsPerTick }, timeoutMs).catch(async (cause: unknown) => {
        const missingCount = await this.#client.call('missingCount', null)
        throw new Error(`${messageOf(cause)} Its clients wait for ${missingCount} messages of a tick.`, { cause })
      }),
    )
    const { deliveryCount, latencyMicros, cpuMicros: clientCpuMicros } = await this.#client.call('end', eventCount)
    return { operationCount: deliveryCount, ...cost, latencyMicros, clientCpuMicros }
  }

  /** Every client subscribes anew, and once more, for as long as the round lasts; then an event shows that all did. */
  async resubscribe(durationMs: number): Promise<RigRound> {
    const { socketCount } = this.#options
    let operationCount = 0
    let cpuMicros = 0
    let elapsedMicros = 0
    do {
      this.#startedCount += socketCount
      await this.#server.call('mark', null)
      await this.#client.call('resubscribe', null)
      const wave = await this.#both(this.#server.call('ended', this.#startedCount))
      operationCount += socketCount
      cpuMicros += wave.cpuMicros
      elapsedMicros += wave.elapsedMicros
    } while (elapsedMicros < durationMs * 1000)
    await delay(SETTLE_MS)
    await this.round({ durationMs: 0, eventsPerTick: 1 })
    return { operationCount, cpuMicros, elapsedMicros, latencyMicros: null, clientCpuMicros: null }
  }

  memory(): Promise<Memory> {
    return this.#server.call('memory', null)
  }

  /** Profiles the server while something runs, and writes a `.cpuprofile`. */
  async profile(file: string, run: () => Promise<unknown>): Promise<void> {
    await this.#server.call('startProfile', null)
    await run()
    await this.#server.call('writeProfile', file)
  }

  async stop(): Promise<void> {
    // The clients first, so that the server's end does not look like a failure to them.
    await this.#client.stop()
    await this.#server.stop()
  }

  /** Of two processes that work together, the one that breaks may not be the one that is waited for. */
  #both<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#server.failed, this.#client.failed])
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
