import { describe, expect, it } from 'vitest'
import type { HostFactory } from '../host-factory.ts'
import { openHost, tokenOf, transportsOf } from './fixture.ts'

const items = 'subscription { ofTenant(channel: "items") { id viewer } }'

/** Who may subscribe, and that nothing a client sends makes it another one. */
export function scopeContract(factory: HostFactory): void {
  describe('scope', () => {
    for (const transport of transportsOf(factory)) {
      it(`refuses who is nobody with UNAUTHENTICATED over ${transport}`, async () => {
        const { host, subscribe } = await openHost(factory)
        for (const who of [undefined, { tenantId: '' }]) {
          const [error, ...others] = await subscribe(transport, who, items).refused()
          expect(others).toEqual([])
          expect(error?.extensions?.['code']).toBe('UNAUTHENTICATED')
        }
        const { groups, security, subscriptions } = host.executor.metrics()
        expect([groups.active, subscriptions.total, security.rejected.scope]).toEqual([0, 0, 2])
      })

      it(`says no more than UNAUTHENTICATED when the scope function fails over ${transport}`, async () => {
        const { errors, subscribe } = await openHost(factory, {
          scope: () => {
            throw new Error('password=hunter2')
          },
        })
        const refused = await subscribe(transport, { tenantId: 'acme' }, items).refused()
        expect(refused.map(({ extensions }) => extensions?.['code'])).toEqual(['UNAUTHENTICATED'])
        expect(JSON.stringify(refused)).not.toContain('hunter2')
        expect(errors).toHaveLength(1)
      })

      it(`keeps each tenant to itself over ${transport}, whatever variables and extensions say`, async () => {
        const { active, publish, subscribe } = await openHost(factory)
        const widening = { tenantId: 'globex', scope: { tenantId: 'globex' }, share: 'globex' }
        const payload = {
          query: 'subscription ($tenantId: String) { ofTenant(channel: "items", tenantId: $tenantId) { id viewer } }',
          variables: widening,
          extensions: widening,
        }
        const acme = subscribe(transport, { tenantId: 'acme' }, payload)
        const globex = subscribe(transport, { tenantId: 'globex' }, payload)
        await active(2)
        await publish({ id: '1' }, { tenantId: 'globex' })
        await publish({ id: '2' }, { tenantId: 'acme' })
        expect(await acme.received(1)).toEqual([{ data: { ofTenant: { id: '2', viewer: '{"tenantId":"acme"}' } } }])
        expect(await globex.received(1)).toEqual([{ data: { ofTenant: { id: '1', viewer: '{"tenantId":"globex"}' } } }])
        await publish({ id: '3' }, { tenantId: 'globex' })
        await globex.received(2)
        expect(acme.results).toHaveLength(1)
      })

      it(`gives an event for one user to that user of that tenant alone over ${transport}`, async () => {
        const { active, host, publish, subscribe } = await openHost(factory)
        const [ann, ben, stranger, nobody] = [
          { tenantId: 'acme', userId: 'ann' },
          { tenantId: 'acme', userId: 'ben' },
          { tenantId: 'globex', userId: 'ann' },
          { tenantId: 'acme' },
        ].map((who) => subscribe(transport, who, items))
        await active(4)
        await publish({ id: 'for ann' }, { userId: 'ann' })
        await publish({ id: 'for all' })
        await publish({ id: 'for globex' }, { tenantId: 'globex' })
        const idsOf = async (subscriber: typeof ann, count: number): Promise<unknown> =>
          (await subscriber?.received(count))?.map(({ data }) => (data?.['ofTenant'] as { id: string } | undefined)?.id)
        expect(await idsOf(ann, 2)).toEqual(['for ann', 'for all'])
        expect(await idsOf(ben, 1)).toEqual(['for all'])
        expect(await idsOf(nobody, 1)).toEqual(['for all'])
        expect(await idsOf(stranger, 1)).toEqual(['for globex'])
        expect(host.executor.metrics().events.delivered).toBe(5)
      })
    }

    it('takes nothing but a proven token out of the connection parameters', async () => {
      const { active, connect, publish } = await openHost(factory)
      const claimed = connect(undefined, {
        connectionParams: { tenantId: 'acme', userId: 'root', scope: { tenantId: 'acme' } },
      })
      const [error] = await claimed.subscribe({ query: items }).refused()
      expect(error?.extensions?.['code']).toBe('UNAUTHENTICATED')

      const connectionParams = { authorization: tokenOf({ tenantId: 'acme' }), tenantId: 'globex' }
      const proven = connect(undefined, { connectionParams }).subscribe({ query: items })
      const header = connect(
        { tenantId: 'acme' },
        { connectionParams: { authorization: tokenOf({ tenantId: 'globex' }) } },
      )
      const byHeader = header.subscribe({ query: items })
      await active(2)
      await publish({ id: '1' }, { tenantId: 'globex' })
      await publish({ id: '2' }, { tenantId: 'acme' })
      for (const subscriber of [proven, byHeader]) {
        expect(await subscriber.received(1)).toEqual([
          { data: { ofTenant: { id: '2', viewer: '{"tenantId":"acme"}' } } },
        ])
      }
    })

    if (!factory.features.sse) refusesSse(factory)
  })
}

function refusesSse(factory: HostFactory): void {
  it('serves no subscription over HTTP, as it has no SSE', async () => {
    const { host } = await openHost(factory)
    const response = await fetch(host.wsUrl.replace(/^ws/, 'http'), {
      method: 'POST',
      headers: {
        authorization: tokenOf({ tenantId: 'acme' }),
        accept: 'text/event-stream',
        'content-type': 'application/json',
      },
      body: JSON.stringify({ query: items }),
    })
    await response.arrayBuffer()
    expect(response.status).toBeGreaterThanOrEqual(400)
    expect(host.executor.metrics().subscriptions.total).toBe(0)
    expect(host.sseUrl).toBeUndefined()
  })
}
