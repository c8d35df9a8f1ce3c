// The process with the clients of one server.
import { Load, type LoadOptions, type RoundAtClient } from '../client/load.ts'
import { serve, tellFailure } from '../rpc/serve.ts'

export interface ClientCommands {
  open(options: LoadOptions): Promise<void>
  begin(round: { readonly firstSequence: number; readonly eventsPerTick: number }): void
  /** What arrived since `begin`, and what CPU time it took here, so that one sees whether this process held up the server. */
  end(eventCount: number): RoundAtClient & { readonly cpuMicros: number }
  missingCount(nothing: null): number
  resubscribe(nothing: null): void
}

let load: Load | undefined
let cpuAtBegin = process.cpuUsage()

const opened = (): Load => {
  if (load === undefined) throw new Error('The connections have not been opened.')
  return load
}

serve<ClientCommands>({
  async open(options) {
    load = new Load(options, tellFailure)
    await load.open()
  },
  begin(round) {
    opened().begin(round)
    cpuAtBegin = process.cpuUsage()
  },
  end(eventCount) {
    const { user, system } = process.cpuUsage(cpuAtBegin)
    return { ...opened().end(eventCount), cpuMicros: user + system }
  },
  missingCount: () => opened().missingCount,
  resubscribe: () => opened().resubscribe(),
})
