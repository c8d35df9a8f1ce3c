import { TENANT_ID } from '../servers/sluice-schema.ts'
import { FIRST_SEQUENCE } from '../workload/workload.ts'
import { orderOf } from '../workload/order.ts'
import type { Experiment } from './experiment.ts'
import { type Case, measureCases } from './measure-cases.ts'
import { Subscribers } from './subscribers.ts'

const FEW = 100
const MANY = 10_000

/**
 * Publishes to one channel of many, and of few; a subscription is on each. Every publish takes another channel, in an order
 * that jumps about. What is selected is small, so that executing it does not hide what finding it costs.
 */
export const routing: Experiment = async ({ roundCount, warmUpCount, inProcessRoundMs: roundMs }) => {
  const cases = [await publishTo(FEW), await publishTo(MANY)]
  const rounds = await measureCases(cases, { roundCount, warmUpCount, roundMs })
  return { cases: cases.map(({ name }, index) => ({ name, rounds: rounds[index] ?? [] })) }
}

async function publishTo(channelCount: number): Promise<Case> {
  const subscribers = await Subscribers.create({
    field: { channel: ({ id }) => `order:${id}`, share: 'tenant' },
    fields: 'id',
  })
  await subscribers.add(channelCount, (index) => ({ id: `${index}` }))
  let channel = 0
  return {
    name: `1 of ${channelCount.toLocaleString('en')} channels`,
    run: (count) =>
      subscribers.expectDeliveries(count, async () => {
        for (let index = 0; index < count; index += 1) {
          channel = (channel + STRIDE) % channelCount
          await subscribers.executor.publish({
            tenantId: TENANT_ID,
            channel: `order:${channel}`,
            type: 'updated',
            data: orderOf(FIRST_SEQUENCE, index),
          })
        }
      }),
  }
}

/** A prime that divides no number of channels here, so that all channels have their turn. */
const STRIDE = 7919
