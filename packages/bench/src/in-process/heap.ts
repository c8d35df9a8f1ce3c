import { measureMemory } from '../processes/memory.ts'
import type { Experiment } from './experiment.ts'
import { Subscribers } from './subscribers.ts'

const FIRST_COUNT = 1000

/**
 * The heap of a process before and after many more subscriptions join a group that has some, each of a user of its own. They
 * share one sink, so that nothing of a transport is in it.
 */
export const heap: Experiment = async ({ heapCount, roundCount }) => {
  const heapBytesEach: number[] = []
  for (let round = 0; round < roundCount; round += 1) {
    const subscribers = await Subscribers.create({ field: { channel: 'orders', share: 'tenant' }, fields: 'id' })
    const add = (first: number, count: number) =>
      subscribers.add(count, (index) => ({ scope: { userId: `user-${first + index}` }, id: '1' }))
    await add(0, FIRST_COUNT)
    const before = measureMemory().heapBytes
    await add(FIRST_COUNT, heapCount)
    heapBytesEach.push((measureMemory().heapBytes - before) / heapCount)
    if (subscribers.executor.metrics().groups.active !== 1) throw new Error('The subscriptions are not in one group.')
    await subscribers.executor.dispose()
  }
  return { cases: [{ name: 'one more in a group', heapBytesEach }] }
}
