import { describe, expect, it } from 'vitest'
import type { HostFactory } from '../host-factory.ts'
import { openHost, tokenOf, transportsOf } from './fixture.ts'

const acme = { tenantId: 'acme', userId: 'ann' }
const items = 'subscription Items { ofTenant(channel: "items") { id text } }'

/** Every kind of operation, right and wrong ones. */
export function operationsContract(factory: HostFactory): void {
  describe('operations', () => {
    it('runs 50 subscriptions on one socket', async () => {
      const { active, connect, host, publish } = await openHost(factory)
      const client = connect(acme)
      const subscribers = Array.from({ length: 50 }, (_, index) =>
        client.subscribe({
          query: 'subscription ($channel: String!) { ofTenant(channel: $channel) { id } }',
          variables: { channel: `items ${index % 25}` },
        }),
      )
      await active(50)
      expect(host.executor.metrics()).toMatchObject({ connections: { active: 1 }, groups: { active: 25 } })
      for (let index = 0; index < 25; index += 1) await publish({ id: String(index) }, { channel: `items ${index}` })
      for (const [index, subscriber] of subscribers.entries()) {
        expect(await subscriber.received(1)).toEqual([{ data: { ofTenant: { id: String(index % 25) } } }])
      }
      for (const subscriber of subscribers.slice(0, 49)) subscriber.complete()
      await active(1)
      await publish({ id: 'again' }, { channel: 'items 24' })
      expect(await subscribers[49]?.received(2)).toHaveLength(2)
      expect(host.executor.metrics()).toMatchObject({
        connections: { active: 1 },
        groups: { active: 1 },
        executions: 26,
      })
    })

    it('runs queries and mutations over the socket; what a mutation publishes reaches its own tenant', async () => {
      const { active, connect, subscribe } = await openHost(factory)
      const subscribers = transportsOf(factory).map((transport) => subscribe(transport, acme, items))
      const stranger = subscribe('WebSocket', { tenantId: 'globex' }, items)
      await active(subscribers.length + 1)
      const client = connect(acme)
      expect(
        await client.run({ query: 'query ($name: String!) { hello(name: $name) }', variables: { name: 'Ann' } }),
      ).toEqual({ data: { hello: 'Hello Ann' } })
      const publish =
        'mutation ($id: ID!, $text: String, $tenantId: String) { publish(channel: "items", id: $id, text: $text, tenantId: $tenantId) }'
      expect(await client.run({ query: publish, variables: { id: '1', text: 'hi' } })).toEqual({
        data: { publish: true },
      })
      for (const subscriber of subscribers)
        expect(await subscriber.received(1)).toEqual([{ data: { ofTenant: { id: '1', text: 'hi' } } }])

      // A scoped publisher cannot name another tenant, and nobody can publish for nobody.
      expect(await client.run({ query: publish, variables: { id: '2', tenantId: 'globex' } })).toMatchObject({
        data: null,
        errors: [{ extensions: { code: 'FORBIDDEN' } }],
      })
      expect(await connect(undefined).run({ query: publish, variables: { id: '3' } })).toMatchObject({
        data: null,
        errors: [{ extensions: { code: 'UNAUTHENTICATED' } }],
      })
      expect(await connect({ tenantId: 'globex' }).run({ query: publish, variables: { id: '4' } })).toEqual({
        data: { publish: true },
      })
      expect(await stranger.received(1)).toEqual([{ data: { ofTenant: { id: '4', text: null } } }])
      for (const subscriber of subscribers) expect(subscriber.results).toHaveLength(1)
    })

    it('runs queries and mutations for who is nobody, as long as they do not publish', async () => {
      const { connect, host } = await openHost(factory)
      expect(await connect(undefined).run({ query: '{ hello }' })).toEqual({ data: { hello: 'Hello world' } })
      expect(host.executor.metrics().security.rejected.scope).toBe(0)
    })

    it('delivers what is published by a mutation over HTTP', async () => {
      const { active, host, subscribe } = await openHost(factory)
      const subscribers = transportsOf(factory).map((transport) => subscribe(transport, acme, items))
      await active(subscribers.length)
      if (host.httpUrl === undefined) {
        expect(factory.features.sse).toBe(false) // who serves only sockets has no HTTP endpoint to send it to
        return
      }
      const response = await fetch(host.httpUrl, {
        method: 'POST',
        headers: { authorization: tokenOf(acme), 'content-type': 'application/json' },
        body: JSON.stringify({ query: 'mutation { publish(channel: "items", id: 1, text: "by HTTP") }' }),
      })
      expect(await response.json()).toEqual({ data: { publish: true } })
      for (const subscriber of subscribers)
        expect(await subscriber.received(1)).toEqual([{ data: { ofTenant: { id: '1', text: 'by HTTP' } } }])
      expect(host.executor.metrics().executions).toBe(1)
    })

    for (const transport of transportsOf(factory)) {
      it(`refuses wrong operations over ${transport} with GraphQL errors`, async () => {
        const { active, host, publish, subscribe } = await openHost(factory)
        const wrong = {
          'does not parse': { query: 'subscription {' },
          'does not validate': { query: 'subscription { ofTenant(channel: "items") { nothing } }' },
          'has two root fields': {
            query: 'subscription { ofTenant(channel: "a") { id } ofUser(channel: "a") { id } }',
          },
          'names no operation': { query: `${items} subscription Others { ofTenant(channel: "others") { id } }` },
          'names an operation that is not there': { query: items, operationName: 'Others' },
          'has only a fragment': { query: 'fragment Id on Item { id }' },
          'lacks a variable': { query: 'subscription ($channel: String!) { ofTenant(channel: $channel) { id } }' },
          'has a variable of a wrong type': {
            query: 'subscription ($channel: String!) { ofTenant(channel: $channel) { id } }',
            variables: { channel: 1 },
          },
          'has an empty channel': { query: 'subscription { ofTenant(channel: "") { id } }' },
        }
        const right = subscribe(transport, acme, { query: `${items} query Hello { hello }`, operationName: 'Items' })
        await active(1)
        for (const [what, payload] of Object.entries(wrong)) {
          const refused = await subscribe(transport, acme, payload).refused()
          expect(refused.length, what).toBeGreaterThan(0)
          for (const { message } of refused) expect(message, what).toEqual(expect.stringMatching(/./))
        }
        expect(host.executor.metrics().subscriptions.total).toBe(1)
        await publish({ id: '1' })
        expect(await right.received(1)).toEqual([{ data: { ofTenant: { id: '1', text: null } } }])
      })
    }
  })
}
