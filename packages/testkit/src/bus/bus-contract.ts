import { describe } from 'vitest'
import type { BusContractFactory } from './bus-contract-factory.ts'
import { acknowledgementContract } from './contract/acknowledgement.ts'
import { capabilitiesContract } from './contract/capabilities.ts'
import { historyContract } from './contract/history.ts'
import { idempotencyContract } from './contract/idempotency.ts'
import { interleavingsContract } from './contract/interleavings.ts'
import { isolationContract } from './contract/isolation.ts'
import { lifecycleContract } from './contract/lifecycle.ts'
import { listenersContract } from './contract/listeners.ts'
import { orderContract } from './contract/order.ts'
import { payloadsContract } from './contract/payloads.ts'
import { releaseContract } from './contract/release.ts'
import { resumeContract } from './contract/resume.ts'

/**
 * The suite that every bus passes unchanged: it proves each sentence of the `EventBus` contract that holds for
 * all of them, and each claim in `capabilities`. Call it in a vitest file of the bus's package. What is a
 * backend's own, such as killed connections, belongs to that package's tests.
 *
 * @example
 * ```ts
 * busContract('myBus', {
 *   capabilities: myBus().capabilities,
 *   async create({ historyCount = 10_000 }) {
 *     const bus = myBus({ history: { maxCount: historyCount } })
 *     return { bus, leftovers: async () => ({ listeners: bus.listenerCount() }), close: () => bus.close() }
 *   },
 * })
 * ```
 */
export function busContract(name: string, factory: BusContractFactory): void {
  describe(`${name} keeps the bus contract`, () => {
    capabilitiesContract(factory)
    acknowledgementContract(factory)
    orderContract(factory)
    isolationContract(factory)
    idempotencyContract(factory)
    payloadsContract(factory)
    historyContract(factory)
    resumeContract(factory)
    listenersContract(factory)
    releaseContract(factory)
    lifecycleContract(factory)
    interleavingsContract(factory)
  })
}
