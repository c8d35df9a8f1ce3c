import { fromChannel } from '@sluice/core'
import type { GraphQLSchema } from 'graphql'
import { describe, expect, it } from 'vitest'
import { executableSchema } from '../executable-schema.ts'
import type { HostFactory } from '../host-factory.ts'
import { openHost, transportsOf } from './fixture.ts'

const acme = { tenantId: 'acme' }

/** Schemas are replaced while subscriptions run. */
export function schemaChangeContract(factory: HostFactory): void {
  describe('a schema replaced at run time', () => {
    for (const transport of transportsOf(factory)) {
      it(`is for new subscriptions, and those that run over ${transport} keep theirs`, async () => {
        const { active, host, publish, subscribe } = await openHost(factory, { schema: versionedSchema('one') })
        const before = subscribe(transport, acme, 'subscription { news { version } }')
        await active(1)
        const unknown = await subscribe(transport, acme, 'subscription { news { onlyInTwo } }').refused()
        expect(unknown[0]?.message).toContain('onlyInTwo')

        await host.replaceSchema(versionedSchema('two'))
        const after = subscribe(transport, acme, 'subscription { news { version } }')
        const withNew = subscribe(transport, acme, 'subscription { news { version onlyInTwo } }')
        await active(3)
        await publish({}, { channel: 'news' })
        expect(await before.received(1)).toEqual([{ data: { news: { version: 'one' } } }])
        expect(await after.received(1)).toEqual([{ data: { news: { version: 'two' } } }])
        expect(await withNew.received(1)).toEqual([{ data: { news: { version: 'two', onlyInTwo: 'here' } } }])
        expect(host.executor.metrics().executions).toBe(3)
        const removed = await subscribe(transport, acme, 'subscription { news { onlyInOne } }').refused()
        expect(removed[0]?.message).toContain('onlyInOne')
      })

      it(`ends those that run over ${transport} with complete if the option says so`, async () => {
        const { active, host, publish, subscribe } = await openHost(factory, {
          schema: versionedSchema('one'),
          executorOptions: { onSchemaChange: 'end' },
        })
        const before = subscribe(transport, acme, 'subscription { news { version } }')
        await active(1)
        await host.replaceSchema(versionedSchema('two'))
        // Hosts that look at their schema per request hear of it with the next one.
        const after = subscribe(transport, acme, 'subscription { news { version } }')
        expect(await before.ended).toEqual({ kind: 'complete' })
        await active(1)
        await publish({}, { channel: 'news' })
        expect(await after.received(1)).toEqual([{ data: { news: { version: 'two' } } }])
        expect(before.results).toEqual([])
      })
    }
  })
}

function versionedSchema(version: 'one' | 'two'): GraphQLSchema {
  const own = version === 'one' ? 'onlyInOne' : 'onlyInTwo'
  const typeDefs = `type Query { version: String } type Subscription { news: News } type News { version: String ${own}: String }`
  return executableSchema(typeDefs, {
    Query: { version: () => version },
    Subscription: { news: fromChannel({ channel: 'news', share: 'tenant' }) },
    News: { version: () => version, [own]: () => 'here' },
  })
}
