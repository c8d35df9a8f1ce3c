import { TENANT_ID } from '../servers/sluice-schema.ts'
import { orderOf } from '../workload/order.ts'
import { FIRST_SEQUENCE } from '../workload/workload.ts'
import type { Experiment } from './experiment.ts'
import { type Case, measureCases } from './measure-cases.ts'
import { Subscribers } from './subscribers.ts'

const FEW = 100
const MANY = 10_000

/** Publishes to one channel on which many, and few, subscriptions want one id each: one of them is meant. */
export const filter: Experiment = async ({ roundCount, warmUpCount, inProcessRoundMs: roundMs }) => {
  const cases = [await publishAmong(FEW), await publishAmong(MANY)]
  const rounds = await measureCases(cases, { roundCount, warmUpCount, roundMs })
  return { cases: cases.map(({ name }, index) => ({ name, rounds: rounds[index] ?? [] })) }
}

async function publishAmong(subscriptionCount: number): Promise<Case> {
  const subscribers = await Subscribers.create({
    field: { channel: 'orders', match: ({ id }) => ({ id }), share: 'tenant' },
    fields: 'id',
  })
  await subscribers.add(subscriptionCount, (index) => ({ id: `${FIRST_SEQUENCE + index}` }))
  let meant = 0
  return {
    name: `1 of ${subscriptionCount.toLocaleString('en')} subscriptions`,
    run: (count) =>
      subscribers.expectDeliveries(count, async () => {
        for (let index = 0; index < count; index += 1) {
          meant = (meant + STRIDE) % subscriptionCount
          await subscribers.executor.publish({
            tenantId: TENANT_ID,
            channel: 'orders',
            type: 'updated',
            data: orderOf(FIRST_SEQUENCE + meant, index),
          })
        }
      }),
  }
}

/** A prime that divides no number of subscriptions here, so that all of them have their turn. */
const STRIDE = 7919
