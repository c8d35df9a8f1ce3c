// The clients of all instances that share a Redis: they count what arrives, and what does not.
import { nowMicros } from '../clock.ts'
import type { Address } from '../client/connection.ts'
import { textFrame } from '../client/masked-frame.ts'
import { openWebSocket } from '../client/web-socket-connection.ts'
import { type Arrivals, Tally } from '../redis/tally.ts'
import { serve, tellFailure } from '../rpc/serve.ts'
import { workloads } from '../workload/workload.ts'

export interface RedisClientCommands {
  /** Connects, so many to each instance, and subscribes. Over WebSocket nothing tells when the server has done so. */
  open(options: { readonly instances: readonly Address[]; readonly countEach: number }): Promise<void>
  /** Events of this number and more follow. */
  begin(firstSequence: number): void
  /** Resolves to whether every client has so many events since `begin`, as soon as it is so or when the time is over. */
  arrived(options: { readonly eventCount: number; readonly timeoutMs: number }): Promise<boolean>
  end(eventCount: number): Arrivals
}

let tally = new Tally(0)

serve<RedisClientCommands>({
  async open({ instances, countEach }) {
    tally = new Tally(instances.length * countEach)
    const subscribe = JSON.stringify({ id: '1', type: 'subscribe', payload: { query: workloads.order.query } })
    for (const [instance, address] of instances.entries()) {
      for (let count = 0; count < countEach; count += 1) {
        const index = instance * countEach + count
        const socket = await openWebSocket(address, `user-${index}`, {
          message: (message) => tally.receive(index, message, nowMicros()),
          failed: (error) => tellFailure(new Error(`Client ${index}: ${error.message}`)),
        })
        socket.send(textFrame(subscribe))
      }
    }
  },
  begin: (firstSequence) => tally.begin(firstSequence),
  arrived: ({ eventCount, timeoutMs }) => tally.arrived(eventCount, timeoutMs),
  end: (eventCount) => tally.end(eventCount),
})
