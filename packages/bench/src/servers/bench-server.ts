import type { EventData, Workload } from '../workload/workload.ts'
import type { StartCounter } from './start-counter.ts'

/** What can be switched off, one at a time, to see what it brings. */
export type Technique =
  | 'grouping'
  | 'sharedBytes'
  | 'push'
  | 'hooks'
  | 'frames'
  | 'copying'
  | 'sharedBuffer'
  | 'corking'

/** How a server is to be set up, beyond what it is. */
export interface ServerVariant {
  /** Whom ours executes together: the tenant, or nobody. */
  readonly share: 'tenant' | 'subscriber'
  /** Whether ours executes with the compiled executor. */
  readonly isCompiled: boolean
  /** The technique that ours does without. */
  readonly without: Technique | null
}

/** What a server is started with. */
export interface ServerSetup extends ServerVariant {
  readonly workload: Workload
  /** Counts what is subscribed to. */
  readonly starts: StartCounter
}

/** A server that listens on 127.0.0.1. It ends with its process. */
export interface BenchServer {
  readonly port: number
  /** Where subscriptions go. */
  readonly path: string
  /** Publishes an event to everybody. */
  publish(data: EventData): unknown
}

export type StartServer = (setup: ServerSetup) => Promise<BenchServer>
