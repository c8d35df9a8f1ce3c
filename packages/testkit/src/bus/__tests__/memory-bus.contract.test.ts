import { memoryBus } from '@sluice/core'
import { busContract } from '../bus-contract.ts'

busContract('memoryBus', {
  capabilities: memoryBus().capabilities,
  async create({ historyCount = 10_000 }) {
    const bus = memoryBus({ history: { maxCount: historyCount } })
    return {
      bus,
      leftovers: async () => ({ listeners: bus.stats().listenerCount }),
      close: () => bus.close(),
    }
  },
})
