// One of several instances that share a Redis, and nothing else.
import { nowMicros } from '../clock.ts'
import type { Address } from '../client/connection.ts'
import { serve } from '../rpc/serve.ts'
import type { BenchServer } from '../servers/bench-server.ts'
import { loadRedisServer, type RedisServerName } from '../servers/redis-servers.ts'
import { StartCounter } from '../servers/start-counter.ts'
import { workloads } from '../workload/workload.ts'

export interface RedisInstanceCommands {
  start(options: { readonly server: RedisServerName; readonly redisPort: number }): Promise<Address>
  /** Resolves when so many subscriptions have been started since the process began. */
  started(total: number): Promise<void>
  /** Publishes the event of this number. Resolves to whether it was accepted. */
  publish(sequence: number): Promise<boolean>
  /** CPU time since the process began, in microseconds. */
  cpuMicros(nothing: null): number
}

const starts = new StartCounter()
const workload = workloads.order
let running: BenchServer | undefined

serve<RedisInstanceCommands>({
  async start({ server, redisPort }) {
    const start = await loadRedisServer(server)
    running = await start({ workload, starts, share: 'tenant', isCompiled: false, without: null }, redisPort)
    return { port: running.port, path: running.path }
  },
  started: (total) => starts.reached(total),
  async publish(sequence) {
    try {
      await running?.publish(workload.make(sequence, Math.floor(nowMicros())))
      return true
    } catch {
      return false
    }
  },
  cpuMicros() {
    const { user, system } = process.cpuUsage()
    return user + system
  },
})
