import { describe } from 'vitest'
import { clientsContract } from './contract/clients.ts'
import { endingContract } from './contract/ending.ts'
import { failuresContract } from './contract/failures.ts'
import { isolationContract } from './contract/isolation.ts'
import { maskingContract } from './contract/masking.ts'
import { operationsContract } from './contract/operations.ts'
import { orderContract } from './contract/order.ts'
import { otherSourcesContract } from './contract/other-sources.ts'
import { persistedOperationsContract } from './contract/persisted-operations.ts'
import { resultHooksContract } from './contract/result-hooks.ts'
import { schemaChangeContract } from './contract/schema-change.ts'
import { scopeContract } from './contract/scope.ts'
import { sharingContract } from './contract/sharing.ts'
import { slowReadersContract } from './contract/slow-readers.ts'
import { socketsContract } from './contract/sockets.ts'
import { stoppingContract } from './contract/stopping.ts'
import type { HostFactory } from './host-factory.ts'

/**
 * The suite that every host runs unchanged, over real sockets, with the released clients of graphql-ws and
 * graphql-sse, and with the libraries that applications put on top of them. Call it in a vitest file of the host's package. What is a host's own, such as its other plugins,
 * belongs to that package's tests.
 *
 * @example
 * ```ts
 * hostContract('GraphQL Yoga', { features: { sse: true, … }, start: async (setup) => startYoga(setup) })
 * ```
 */
export function hostContract(name: string, factory: HostFactory): void {
  describe(`${name} keeps the host contract`, () => {
    scopeContract(factory)
    sharingContract(factory)
    isolationContract(factory)
    operationsContract(factory)
    clientsContract(factory)
    socketsContract(factory)
    orderContract(factory)
    maskingContract(factory)
    resultHooksContract(factory)
    persistedOperationsContract(factory)
    failuresContract(factory)
    otherSourcesContract(factory)
    schemaChangeContract(factory)
    slowReadersContract(factory)
    endingContract(factory)
    stoppingContract(factory)
  })
}
