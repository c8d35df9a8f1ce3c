import { NotAvailable } from '../servers/not-available.ts'
import { TENANT_ID } from '../servers/sluice-schema.ts'
import { orderFields, orderOf } from '../workload/order.ts'
import { FIRST_SEQUENCE } from '../workload/workload.ts'
import type { CaseFindings, Experiment } from './experiment.ts'
import { type Case, measureCases } from './measure-cases.ts'
import { Subscribers } from './subscribers.ts'

const SUBSCRIPTION_COUNT = 100

/** One event to one group: published, executed, encoded, framed and handed to every member. */
export const dispatch: Experiment = async ({ roundCount, warmUpCount, inProcessRoundMs: roundMs }) => {
  const cases: Case[] = []
  const missing: CaseFindings[] = []
  for (const [name, isCompiled] of [
    ['graphql-js', false],
    ['compiled', true],
  ] as const) {
    try {
      cases.push(await dispatchWith(name, isCompiled))
    } catch (error) {
      if (!(error instanceof NotAvailable)) throw error
      missing.push({ name, notAvailable: error.message })
    }
  }
  const rounds = await measureCases(cases, { roundCount, warmUpCount, roundMs })
  return { cases: [...cases.map(({ name }, index) => ({ name, rounds: rounds[index] ?? [] })), ...missing] }
}

async function dispatchWith(name: string, isCompiled: boolean): Promise<Case> {
  const subscribers = await Subscribers.create({
    field: { channel: 'orders', share: 'tenant' },
    fields: orderFields,
    isCompiled,
  })
  await subscribers.add(SUBSCRIPTION_COUNT, (index) => ({ scope: { userId: `user-${index}` }, id: '1' }))
  return {
    name,
    run: (count) =>
      subscribers.expectDeliveries(count * SUBSCRIPTION_COUNT, async () => {
        for (let index = 0; index < count; index += 1) {
          const data = orderOf(FIRST_SEQUENCE, index)
          await subscribers.executor.publish({ tenantId: TENANT_ID, channel: 'orders', type: 'updated', data })
        }
      }),
  }
}
