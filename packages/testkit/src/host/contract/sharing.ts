import { describe, expect, it } from 'vitest'
import type { HostFactory } from '../host-factory.ts'
import type { Subscriber } from '../subscriber.ts'
import { type Fixture, openHost } from './fixture.ts'

const items = 'subscription Items { ofTenant(channel: "items") { id viewer } }'

/** The promise of it all: one execution and one serialisation, however many listen. Counted, not timed. */
export function sharingContract(factory: HostFactory): void {
  describe('sharing', () => {
    it('executes and serialises once for 500 WebSocket clients of one tenant', async () => {
      const fixture = await openHost(factory)
      const clients = listen(fixture, 500, 'acme')
      await fixture.active(500)
      expect(fixture.host.executor.metrics().connections.active).toBe(500)
      expect(fixture.host.executor.metrics().groups.active).toBe(1)
      await fixture.publish({ id: '1' })
      await expectEach(clients, ['1'], 'acme')
      expectWork(fixture, { executions: 1, serializations: 1, delivered: 500 })
      await expectNothingMore(fixture, clients, 'acme')
    })

    it('executes and serialises twice for 500 WebSocket clients of two tenants', async () => {
      const fixture = await openHost(factory)
      const acme = listen(fixture, 250, 'acme')
      const globex = listen(fixture, 250, 'globex')
      await fixture.active(500)
      expect(fixture.host.executor.metrics().groups.active).toBe(2)
      await fixture.publish({ id: '1' }, { tenantId: 'acme' })
      await fixture.publish({ id: '2' }, { tenantId: 'globex' })
      await expectEach(acme, ['1'], 'acme')
      await expectEach(globex, ['2'], 'globex')
      expectWork(fixture, { executions: 2, serializations: 2, delivered: 500 })
      await expectNothingMore(fixture, acme, 'acme')
      await expectNothingMore(fixture, globex, 'globex')
    })

    if (factory.features.sse) sharesOverTransports(factory)

    it('executes apart what may differ: variables, selections, users, subscribers', async () => {
      const fixture = await openHost(factory)
      const ann = { tenantId: 'acme', userId: 'ann' }
      const ben = { tenantId: 'acme', userId: 'ben' }
      const ofUser = 'subscription { ofUser(channel: "items") { id viewer } }'
      const ofSubscriber = 'subscription { ofSubscriber(channel: "items") { id viewer } }'
      const subscribers = [
        ...[ann, ben].map((who) => fixture.connect(who).subscribe({ query: items })), // one group
        fixture.connect(ann).subscribe({ query: 'subscription { ofTenant(channel: "items") { id } }' }),
        ...[ann, ann, ben].map((who) => fixture.connect(who).subscribe({ query: ofUser })), // two groups
        ...[ann, ann].map((who) => fixture.connect(who).subscribe({ query: ofSubscriber })), // two groups
      ]
      await fixture.active(8)
      await fixture.publish({ id: '1' })
      for (const subscriber of subscribers) await subscriber.received(1)
      expect(fixture.host.executor.metrics().groups.active).toBe(6)
      // What nobody shares, a host may serialise by itself.
      expectWork(fixture, { executions: 6, delivered: 8 })
      const viewers = subscribers.map(({ results }) => Object.values(results[0]?.data ?? {})[0] as { viewer?: string })
      const scopeOf = (index: number): unknown => JSON.parse(viewers[index]?.viewer ?? 'null')
      expect([0, 1, 3, 4, 5, 6, 7].map(scopeOf)).toEqual([
        { tenantId: 'acme' },
        { tenantId: 'acme' },
        ann,
        ann,
        ben,
        ann,
        ann,
      ])
    })

    it('executes once for texts of one operation that differ in nothing that matters', async () => {
      const fixture = await openHost(factory)
      const texts = [
        'subscription($c: String!) { ofTenant(channel: $c) { id viewer } }',
        'subscription ($c:String!)\n{\n  ofTenant(channel:$c) {id,viewer} # a comment\n}',
      ]
      const subscribers = texts.map((query) =>
        fixture.connect({ tenantId: 'acme' }).subscribe({ query, variables: { c: 'items', unused: query } }),
      )
      await fixture.active(2)
      await fixture.publish({ id: '1' })
      await expectEach(subscribers, ['1'], 'acme')
      expectWork(fixture, { executions: 1, serializations: 1, delivered: 2 })
    })
  })
}

function listen({ connect }: Fixture, count: number, tenantId: string): Subscriber[] {
  return Array.from({ length: count }, (_, index) =>
    connect({ tenantId, userId: `user ${index}` }).subscribe({ query: items }),
  )
}

async function expectEach(subscribers: readonly Subscriber[], ids: readonly string[], tenantId: string): Promise<void> {
  const expected = ids.map((id) => ({ data: { ofTenant: { id, viewer: JSON.stringify({ tenantId }) } } }))
  for (const subscriber of subscribers) expect(await subscriber.received(ids.length)).toEqual(expected)
}

/** Whatever came twice would have come before the next event. */
async function expectNothingMore(
  fixture: Fixture,
  subscribers: readonly Subscriber[],
  tenantId: string,
): Promise<void> {
  const first = subscribers[0]?.results[0]?.data?.['ofTenant'] as { id: string }
  await fixture.publish({ id: 'last' }, { tenantId })
  await expectEach(subscribers, [first.id, 'last'], tenantId)
}

function expectWork({ host }: Fixture, work: { executions: number; serializations?: number; delivered: number }): void {
  const { executions, serializations, events } = host.executor.metrics()
  expect({ executions, serializations, delivered: events.delivered }).toMatchObject(work)
}

function sharesOverTransports(factory: HostFactory): void {
  it('executes and serialises once for 250 SSE and 250 WebSocket clients of one tenant', async () => {
    const fixture = await openHost(factory)
    const sockets = listen(fixture, 250, 'acme')
    const streams = Array.from({ length: 250 }, () => fixture.subscribe('SSE', { tenantId: 'acme' }, items))
    await fixture.active(500)
    await fixture.publish({ id: '1' })
    await expectEach([...sockets, ...streams], ['1'], 'acme')
    expectWork(fixture, { executions: 1, serializations: 1, delivered: 500 })
    await expectNothingMore(fixture, [...sockets, ...streams], 'acme')
  })
}
