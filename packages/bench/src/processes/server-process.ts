// The process with one server, and nothing else.
import { nowMicros } from '../clock.ts'
import { serve } from '../rpc/serve.ts'
import type { BenchServer, ServerVariant } from '../servers/bench-server.ts'
import { NotAvailable } from '../servers/not-available.ts'
import { loadServer, type ServerName } from '../servers/server-registry.ts'
import { StartCounter } from '../servers/start-counter.ts'
import { FIRST_SEQUENCE, type Workload, type WorkloadName, workloads } from '../workload/workload.ts'
import { type Acknowledgements, listenForAcknowledgements } from './acknowledgements.ts'
import { startProfile } from './cpu-profiler.ts'
import { type Memory, measureMemory } from './memory.ts'

export interface StartOptions extends ServerVariant {
  readonly server: ServerName
  readonly workload: WorkloadName
}

/** Where the server listens, or why there is none. */
export type StartResult =
  | { readonly port: number; readonly path: string; readonly acknowledgementPort: number }
  | { readonly notAvailable: string }

export interface RoundOptions {
  readonly durationMs: number
  readonly eventsPerTick: number
}

/** What a round cost. */
export interface RoundAtServer {
  readonly eventCount: number
  readonly cpuMicros: number
  readonly elapsedMicros: number
}

export interface ServerCommands {
  start(options: StartOptions): Promise<StartResult>
  /** Resolves when so many subscriptions have been started since the process began. */
  started(total: number): Promise<void>
  /** The number of the first event of the next round. */
  nextSequence(nothing: null): number
  /** Publishes, a tick after the other: the next when the one before has arrived at every client. */
  round(options: RoundOptions): Promise<RoundAtServer>
  /** From here on, {@link ended} measures. */
  mark(nothing: null): void
  /** Resolves when so many subscriptions have been started, with what it cost since the mark. */
  ended(total: number): Promise<Omit<RoundAtServer, 'eventCount'>>
  memory(nothing: null): Memory
  startProfile(nothing: null): Promise<void>
  writeProfile(file: string): Promise<void>
}

interface Running {
  readonly server: BenchServer
  readonly workload: Workload
  readonly acknowledgements: Acknowledgements
}

const starts = new StartCounter()
let running: Running | undefined
let sequence = FIRST_SEQUENCE
let measuring = measure()
let stopProfile: ((file: string) => Promise<void>) | undefined

function measure(): () => Omit<RoundAtServer, 'eventCount'> {
  const cpu = process.cpuUsage()
  const begun = nowMicros()
  return () => {
    const { user, system } = process.cpuUsage(cpu)
    return { cpuMicros: user + system, elapsedMicros: nowMicros() - begun }
  }
}

serve<ServerCommands>({
  async start({ server: name, workload: workloadName, ...variant }) {
    const workload = workloads[workloadName]
    const start = await loadServer(name)
    try {
      const server = await start({ ...variant, workload, starts })
      const acknowledgements = await listenForAcknowledgements()
      running = { server, workload, acknowledgements }
      return { port: server.port, path: server.path, acknowledgementPort: acknowledgements.port }
    } catch (error) {
      if (error instanceof NotAvailable) return { notAvailable: error.message }
      throw error
    }
  },
  started: (total) => starts.reached(total),
  nextSequence: () => sequence,
  async round({ durationMs, eventsPerTick }) {
    if (running === undefined) throw new Error('The server has not been started.')
    const { server, workload, acknowledgements } = running
    const first = sequence
    const end = nowMicros() + durationMs * 1000
    const measured = measure()
    do {
      const work: unknown[] = [acknowledgements.next()]
      for (let count = 0; count < eventsPerTick; count += 1) {
        work.push(server.publish(workload.make(sequence, Math.floor(nowMicros()))))
        sequence += 1
      }
      await Promise.all(work)
    } while (nowMicros() < end)
    return { eventCount: sequence - first, ...measured() }
  },
  mark() {
    measuring = measure()
  },
  async ended(total) {
    await starts.reached(total)
    return measuring()
  },
  memory: measureMemory,
  async startProfile() {
    stopProfile = await startProfile()
  },
  async writeProfile(file) {
    await stopProfile?.(file)
  },
})
