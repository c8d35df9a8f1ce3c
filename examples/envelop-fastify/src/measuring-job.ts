import { setTimeout as delay } from 'node:timers/promises'
import type { SubscriptionExecutor } from '@sluice/core'
import { DEVICES, type Reading } from './devices.ts'

/** What measures, in place of devices: code of the server that runs without a request, and so without a `context.sluice`. */
export interface MeasuringJob {
  /** Lets every device measure once. Resolves when the bus has accepted all readings. */
  measure(): Promise<void>
  /** Measures every now and then. Resolves when the signal is aborted. */
  run(options: { readonly intervalMs: number; readonly signal: AbortSignal }): Promise<void>
}

/** It publishes with the executor, which trusts it: it says itself whose a reading is. */
export function createMeasuringJob(executor: Pick<SubscriptionExecutor, 'publish'>): MeasuringJob {
  let round = 0

  async function measure(): Promise<void> {
    const deviation = (round % 5) / 2 // what a simulation knows of thermodynamics
    round += 1
    for (const { tenantId, id, targetCelsius } of DEVICES) {
      const data: Reading = { deviceId: id, celsius: targetCelsius + deviation }
      await executor.publish({ tenantId, channel: 'readings', type: 'measured', data })
    }
  }

  return {
    measure,
    async run({ intervalMs, signal }) {
      while (!signal.aborted) {
        await measure()
        await delay(intervalMs, undefined, { signal }).catch(() => {}) // it was aborted: the loop ends
      }
    },
  }
}
