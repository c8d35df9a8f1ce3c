import { fromChannel } from '@sluice/core'
import { describe, expect, it } from 'vitest'
import { executableSchema } from '../executable-schema.ts'
import type { HostFactory } from '../host-factory.ts'
import { openHost, transportsOf } from './fixture.ts'

const acme = { tenantId: 'acme', userId: 'ann' }

/** Everybody gets events in the order in which they were published. */
export function orderContract(factory: HostFactory): void {
  describe('order', () => {
    for (const transport of transportsOf(factory)) {
      it(`is kept over ${transport} for 200 events whose resolvers take longer or shorter`, async () => {
        const { active, host, publish, subscribe } = await openHost(factory, { schema: turnsSchema() })
        const fields = ['ofTenant', 'ofTenant', 'ofUser', 'ofSubscriber']
        const subscribers = fields.map((field) => subscribe(transport, acme, `subscription { ${field} { index } }`))
        await active(4)
        const published = Promise.all(
          Array.from({ length: 200 }, (_, index) => publish({ index, turns: (index * 7) % 5 })),
        )
        for (const [number, subscriber] of subscribers.entries()) {
          const results = await subscriber.received(200)
          const indexes = results.map(
            ({ data }) => (data?.[fields[number] ?? ''] as { index: number } | undefined)?.index,
          )
          expect(indexes).toEqual(Array.from({ length: 200 }, (_, index) => index))
        }
        await published
        expect(host.executor.metrics()).toMatchObject({ executions: 600, events: { delivered: 800, dropped: 0 } })
      })
    }

    it('begins for a late subscriber where it came, with nothing twice and nothing left out', async () => {
      const { active, publish, subscribe } = await openHost(factory, { schema: turnsSchema() })
      const query = 'subscription { ofTenant { index } }'
      const early = subscribe('WebSocket', acme, query)
      await active(1)
      let index = 0
      const late = subscribe('WebSocket', acme, query)
      const joined = active(2).then(() => index)
      while (index < 100 || late.results.length === 0) {
        await publish({ index, turns: index % 3 })
        index += 1
        if (index % 10 === 0) await early.received(index)
      }
      const atLatest = await joined
      await early.received(index)
      const seen = (): unknown[] =>
        late.results.map(({ data }) => (data?.['ofTenant'] as { index: number } | undefined)?.index)
      const first = Number(seen()[0])
      await late.received(index - first)
      expect(first).toBeLessThanOrEqual(atLatest)
      expect(seen()).toEqual(Array.from({ length: index - first }, (_, offset) => first + offset))
    })
  })
}

/** Each event's resolver takes as many turns of the event loop as the event says. */
function turnsSchema(): ReturnType<typeof executableSchema> {
  const typeDefs =
    'type Query { ok: Boolean } type Turn { index: Int } type Subscription { ofTenant: Turn ofUser: Turn ofSubscriber: Turn }'
  return executableSchema(typeDefs, {
    Subscription: {
      ofTenant: fromChannel({ channel: 'items', share: 'tenant' }),
      ofUser: fromChannel({ channel: 'items', share: 'user' }),
      ofSubscriber: fromChannel({ channel: 'items' }),
    },
    Turn: {
      index: async (turn) => {
        const { index, turns } = turn as { index: number; turns: number }
        for (let turned = 0; turned < turns; turned += 1) await new Promise((resolve) => setImmediate(resolve))
        return index
      },
    },
  })
}
