import { describe, expect, it } from 'vitest'
import type { HostFactory } from '../host-factory.ts'
import type { WebSocketClient } from '../ws-client.ts'
import { openHost } from './fixture.ts'
import { createGate } from './gate.ts'
import { itemSchema } from './item-schema.ts'

/** A server that stops takes leave of everybody. */
export function stoppingContract(factory: HostFactory): void {
  describe('the stop of the server', () => {
    it('completes every subscription, then closes the sockets with 1001, and leaves nothing', async () => {
      const { active, connect, host, publish, stop, subscribe } = await openHost(factory)
      const clients = Array.from({ length: 100 }, (_, index) =>
        connect({ tenantId: `tenant ${index % 3}`, userId: `user ${index}` }),
      )
      const fields = ['ofTenant', 'ofSubscriber']
      const subscribers = clients.flatMap((client) =>
        fields.map((field) => client.subscribe({ query: `subscription { ${field}(channel: "items") { id } }` })),
      )
      const streams = factory.features.sse
        ? Array.from({ length: 25 }, (_, index) =>
            subscribe('SSE', { tenantId: `tenant ${index % 3}` }, 'subscription { ofTenant(channel: "items") { id } }'),
          )
        : []
      const all = [...subscribers, ...streams]
      await active(all.length)
      for (const tenantId of ['tenant 0', 'tenant 1', 'tenant 2']) await publish({ id: 'the last one' }, { tenantId })
      await stop()
      for (const subscriber of all) {
        expect(await subscriber.ended).toEqual({ kind: 'complete' })
        expect(Object.values(subscriber.results[0]?.data ?? {})).toEqual([{ id: 'the last one' }])
        expect(subscriber.results).toHaveLength(1)
      }
      expect(await codesOf(clients)).toEqual(clients.map(() => 1001))
      expect(host.executor.metrics().subscriptions).toMatchObject({ active: 0, total: all.length, byTenant: {} })
    })

    it('closes idle sockets with 1001, and takes no new ones', async () => {
      const { connect, host, stop } = await openHost(factory)
      const clients = Array.from({ length: 5 }, () => connect({ tenantId: 'acme' }))
      await Promise.all(clients.map(({ opened }) => opened))
      await stop()
      expect(await codesOf(clients)).toEqual(clients.map(() => 1001))
      await expect(connect({ tenantId: 'acme' }).opened).rejects.toThrow(/closed/)
      expect(host.executor.metrics().connections.active).toBe(0)
    })

    it('does not wait for a subscription that is only being started', async () => {
      const gate = createGate()
      const { connect, host, stop } = await openHost(factory, { schema: itemSchema({ gate: gate.pass }) })
      const client = connect({ tenantId: 'acme' })
      const pending = client.subscribe({ query: 'subscription { gated(channel: "items") { id } }' })
      await gate.reached(1)
      const stopped = stop()
      gate.open()
      await stopped
      expect((await client.closed).code).toBe(1001)
      await pending.ended
      expect(pending.results.every(({ data }) => data == null)).toBe(true)
      expect(host.executor.metrics().subscriptions.active).toBe(0)
    })
  })
}

async function codesOf(clients: readonly WebSocketClient[]): Promise<number[]> {
  const closes = await Promise.all(clients.map(({ closed }) => closed))
  return closes.map(({ code }) => code)
}
