import { TENANT_ID } from '../servers/sluice-schema.ts'
import { orderOf } from '../workload/order.ts'
import { FIRST_SEQUENCE } from '../workload/workload.ts'
import type { Experiment } from './experiment.ts'
import { type Case, type CaseRound, measureCases } from './measure-cases.ts'
import { Subscribers } from './subscribers.ts'

const SCOPE_COUNT = 1000

/**
 * What it costs to decide whether an event may go to one scope. The check cannot be taken out of what is around it, so these
 * are upper bounds: everything that publishing an event costs, over the number of scopes that it was decided for.
 *
 * - refused: subscriptions of many users, a group each; the event is for a user who is none of them.
 * - allowed: subscriptions of one user, whose scopes expire; the event is for that user. Execution, encoding and handing over
 *   are in it.
 */
export const security: Experiment = async ({ roundCount, warmUpCount, inProcessRoundMs: roundMs }) => {
  const cases = [await refused(), await allowed()]
  const rounds = await measureCases(cases, { roundCount, warmUpCount, roundMs })
  return { cases: cases.map(({ name }, index) => ({ name, rounds: (rounds[index] ?? []).map(perScope) })) }
}

async function refused(): Promise<Case> {
  const subscribers = await Subscribers.create({ field: { channel: 'orders', share: 'user' }, fields: 'id' })
  await subscribers.add(SCOPE_COUNT, (index) => ({ scope: { userId: `user-${index}` }, id: '1' }))
  return {
    name: 'refused, another user',
    run: (count) => subscribers.expectDeliveries(0, () => publish(subscribers, 'somebody else', count)),
  }
}

async function allowed(): Promise<Case> {
  const subscribers = await Subscribers.create({ field: { channel: 'orders', share: 'tenant' }, fields: 'id' })
  const scope = { userId: 'ada', expiresAt: Date.now() + 86_400_000 }
  await subscribers.add(SCOPE_COUNT, () => ({ scope, id: '1' }))
  return {
    name: 'allowed, not expired',
    run: (count) => subscribers.expectDeliveries(count * SCOPE_COUNT, () => publish(subscribers, 'ada', count)),
  }
}

async function publish({ executor }: Subscribers, userId: string, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const data = orderOf(FIRST_SEQUENCE, index)
    await executor.publish({ tenantId: TENANT_ID, channel: 'orders', type: 'updated', userId, data })
  }
}

function perScope({ operationCount, ...cost }: CaseRound): CaseRound {
  return { operationCount: operationCount * SCOPE_COUNT, ...cost }
}
