import { setTimeout as delay } from 'node:timers/promises'
import { ADVANCE_ORDER } from '../public/operations.js'
import { type BoardResult, connectBoardClient } from './board-client.ts'
import type { DemoServer } from './server.ts'
import { TENANTS, type Tenant } from './tenants.ts'

const timeoutMs = 10_000

/** What the demonstration claims did not happen. */
export class DemonstrationError extends Error {
  override name = 'DemonstrationError'
}

/**
 * Connects one client per tenant over its transport, changes one order of each, and prints what each received.
 * Rejects with a {@link DemonstrationError} unless each got its own tenant's event, only that, and every event was
 * executed once.
 */
export async function demonstrate(server: DemoServer, print: (line: string) => void): Promise<void> {
  const ended: string[] = []
  const clients = TENANTS.map((tenant) => {
    const received: BoardResult[] = []
    const close = connectBoardClient({
      tenant,
      endpoint: server.endpoint,
      bearer: server.bearerOf(tenant),
      onResult: (result) => received.push(result),
      onEnd: (error) => ended.push(`${tenant.id}: the subscription ended${error ? `, ${describe(error)}` : ''}`),
    })
    return { tenant, received, close }
  })
  const until = (what: string, isReached: () => boolean) => waitFor(what, isReached, ended)
  try {
    await until('both subscriptions', () => server.executor.metrics().subscriptions.active === clients.length)
    for (const { tenant } of clients) await advance(server, tenant)
    await until('one event for each client', () => clients.every(({ received }) => received.length > 0))

    for (const { tenant, received } of clients) {
      const [result] = received
      const order = result?.data?.orderChanged
      if (received.length !== 1 || order?.id !== String(tenant.firstOrder)) {
        throw new DemonstrationError(
          `${tenant.id} should have its own event only, but received ${JSON.stringify(received)}`,
        )
      }
      print(
        `${tenant.id.padEnd(8)} ${`(${tenant.transport})`.padEnd(12)} ← orderChanged #${order.id} ${order.status.toLowerCase()}`,
      )
    }
    const { events, executions } = server.executor.metrics()
    const counted = `${events.published} events, ${executions} executions, ${events.delivered} deliveries`
    const expected = clients.length
    if (events.published !== expected || executions !== expected || events.delivered !== expected) {
      throw new DemonstrationError(`expected ${expected} of each, but the executor counted ${counted}`)
    }
    print(`each received its own tenant's event only; ${counted}`)
  } finally {
    for (const { close } of clients) close()
  }
  await waitFor('the end of both subscriptions', () => server.executor.metrics().subscriptions.active === 0)
}

/** The same mutation that the page's buttons send; the token says whose order it is. */
async function advance(server: DemoServer, tenant: Tenant): Promise<void> {
  const response = await fetch(server.endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: server.bearerOf(tenant) },
    body: JSON.stringify({ query: ADVANCE_ORDER, variables: { id: String(tenant.firstOrder), to: 'PAID' } }),
  })
  const { errors } = (await response.json()) as BoardResult
  if (errors) throw new DemonstrationError(`${tenant.id}: ${errors.map(({ message }) => message).join('; ')}`)
}

async function waitFor(what: string, isReached: () => boolean, ended: readonly string[] = []): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!isReached()) {
    if (ended.length > 0) throw new DemonstrationError(ended.join('; '))
    if (Date.now() > deadline) throw new DemonstrationError(`waited ${timeoutMs / 1000} s for ${what}`)
    await delay(5)
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : JSON.stringify(error)
}
