import { describe, expect, it } from 'vitest'
import type { HostFactory } from '../host-factory.ts'
import { openHost, transportsOf } from './fixture.ts'
import { createGate } from './gate.ts'
import { itemSchema } from './item-schema.ts'
import { until } from '../until.ts'

const acme = { tenantId: 'acme' }
const items = 'subscription { ofTenant(channel: "items") { id } }'

/** However a subscription ends, nothing of it stays, and nothing of it reaches whoever comes next. */
export function endingContract(factory: HostFactory): void {
  describe('the end of a subscription', () => {
    for (const transport of transportsOf(factory)) {
      it(`by its client over ${transport} releases it, and not the others`, async () => {
        const { active, host, publish, released, subscribe } = await openHost(factory)
        const queries = [items, 'subscription { ofSubscriber(channel: "items") { id } }']
        const going = queries.map((query) => subscribe(transport, acme, query))
        const staying = queries.map((query) => subscribe(transport, acme, query))
        await active(4)
        await publish({ id: '1' })
        for (const subscriber of [...going, ...staying]) await subscriber.received(1)
        for (const subscriber of going) subscriber.complete()
        await active(2)
        expect(host.executor.metrics().groups.active).toBe(2)
        await publish({ id: '2' })
        for (const subscriber of staying) await subscriber.received(2)
        for (const subscriber of going) expect(subscriber.results).toHaveLength(1)
        for (const subscriber of staying) subscriber.complete()
        await active(0)
        const { groups, subscriptions } = host.executor.metrics()
        expect([groups.active, groups.unshared.byReason, subscriptions.byTenant]).toEqual([0, {}, {}])
        if (transport === 'SSE') await released()
      })
    }

    it('by a cut socket releases everything that the socket had', async () => {
      const { active, connect, host, publish } = await openHost(factory)
      const cut = connect(acme)
      const other = connect(acme).subscribe({ query: items })
      for (const field of ['ofTenant', 'ofSubscriber', 'ofUser'])
        cut.subscribe({ query: `subscription { ${field}(channel: "items") { id } }` })
      await active(4)
      const socket = await cut.opened
      socket.terminate()
      await active(1)
      expect(host.executor.metrics().connections.active).toBe(1)
      await publish({ id: '1' })
      expect(await other.received(1)).toHaveLength(1)
      other.complete()
      await active(0)
      expect(host.executor.metrics().groups.active).toBe(0)
    })

    it('by a socket cut while the subscription is being started releases that too', async () => {
      const gate = createGate()
      const { active, connect, host, released } = await openHost(factory, { schema: itemSchema({ gate: gate.pass }) })
      const client = connect(acme)
      for (let count = 0; count < 3; count += 1)
        client.subscribe({ query: 'subscription { gated(channel: "items") { id } }' })
      const socket = await client.opened
      await gate.reached(3)
      socket.terminate()
      await client.closed
      gate.open()
      await released()
      await active(0)
      expect(host.executor.metrics().groups.active).toBe(0)
    })

    it('frees its id for the next subscription of the socket', async () => {
      const { active, connect, host, publish } = await openHost(factory)
      const client = connect(acme, { generateId: () => 'the same' })
      const first = client.subscribe({ query: items })
      await active(1)
      await publish({ id: '1' })
      await first.received(1)
      first.complete()
      const second = client.subscribe({ query: 'subscription { ofTenant(channel: "others") { id } }' })
      await until(() => host.executor.metrics().subscriptions.total === 2, 'the second subscription runs')
      await active(1)
      await publish({ id: '2' }, { channel: 'items' })
      await publish({ id: '3' }, { channel: 'others' })
      expect(await second.received(1)).toEqual([{ data: { ofTenant: { id: '3' } } }])
      expect(first.results).toEqual([{ data: { ofTenant: { id: '1' } } }])
    })

    it('frees its id also while it is being started, and then it never starts', async () => {
      const gate = createGate()
      const { active, connect, host, publish, subscribe } = await openHost(factory, {
        schema: itemSchema({ gate: gate.pass }),
      })
      const client = connect(acme, { generateId: () => 'the same' })
      const first = client.subscribe({ query: 'subscription { gated(channel: "items") { id } }' })
      await gate.reached(1)
      first.complete()
      const second = client.subscribe({ query: 'subscription { ofTenant(channel: "items") { id text } }' })
      await active(1)
      gate.open()
      // Another one behind the same gate: when it runs, the first is either running too or gone.
      const witness = subscribe('WebSocket', acme, 'subscription { gated(channel: "items") { id } }')
      await active(2)
      await publish({ id: '1', text: 'for the second' })
      await witness.received(1)
      expect(await second.received(1)).toEqual([{ data: { ofTenant: { id: '1', text: 'for the second' } } }])
      await publish({ id: '2' })
      await second.received(2)
      expect(second.results).toHaveLength(2)
      expect(first.results).toEqual([])
      expect(host.executor.metrics().groups.active).toBe(2)
      second.complete()
      await active(1)
    })
  })
}
