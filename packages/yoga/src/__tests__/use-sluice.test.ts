import { createServer } from 'node:http'
import { createSubscriptionExecutor, fromChannel, SluiceError } from '@sluice/core'
import { until } from '@sluice/testkit'
import { subscribe } from 'graphql'
import { createSchema, createYoga, type Plugin } from 'graphql-yoga'
import { describe, expect, it } from 'vitest'
import { useSluice } from '../index.ts'
import { openYoga, transports } from './open-yoga.ts'

const schemaOf = (share?: 'tenant') =>
  createSchema({
    typeDefs: 'type Query { ok: Boolean } type Subscription { news: News own: Int } type News { id: Int }',
    resolvers: {
      Subscription: {
        news: fromChannel({ channel: 'news', ...(share && { share }) }),
        own: {
          async *subscribe() {
            yield { own: 1 }
          },
        },
      },
    },
  })
const scope = () => ({ tenantId: 'acme' })
const event = { tenantId: 'acme', channel: 'news', type: 'news', data: { id: 1 } }

describe('a mistake in setting it up', () => {
  it('is told when attachWebSocket is called before createYoga', () => {
    const attach = () => useSluice({ scope }).attachWebSocket(createServer())
    expect(attach).toThrow(SluiceError)
    expect(attach).toThrow(/createYoga/)
  })

  it('is told by createYoga when a field is shared and there is no eventContext', () => {
    const create = () => createYoga({ schema: schemaOf('tenant'), plugins: [useSluice({ scope })] })
    expect(create).toThrow(SluiceError)
    expect(create).toThrow(/eventContext.*news/)
  })

  it('is told when two servers are given one plugin', async () => {
    const plugin = useSluice({ scope })
    const yoga = createYoga({ schema: schemaOf(), plugins: [plugin] })
    expect(() => createYoga({ schema: schemaOf(), plugins: [plugin] })).toThrow(/one plugin serves one Yoga/)
    await yoga.dispose()
  })

  it.for([
    ['no options', undefined, /options/],
    ['no scope', {}, /scope/],
    ['a scope that is no function', { scope: 'acme' }, /scope/],
    ['an executor that is none', { executor: {} }, /executor/],
    ['an option beside the executor', { executor: createSubscriptionExecutor(), scope }, /scope/],
    ['an option that does not exist', { scope, tenant: 'acme' }, /tenant/],
  ] as const)('is told at once: %s', ([, options, message]) => {
    expect(() => useSluice(options as never)).toThrow(message)
  })

  for (const transport of transports) {
    it(`is told to the first subscriber over ${transport} when an engine comes after it, and nothing runs`, async () => {
      const errors: unknown[] = []
      const sluice = useSluice({ scope, onError: (error) => errors.push(error) })
      const engine: Plugin = { onSubscribe: ({ setSubscribeFn }) => setSubscribeFn(subscribe) }
      const server = await openYoga({ sluice, schema: schemaOf(), after: [engine] })
      for (const field of ['news { id }', 'own']) {
        const [error] = await server.subscribe(transport, `subscription { ${field} }`).refused()
        expect(error?.extensions?.['code']).toBe('BAD_CONFIG')
      }
      expect(errors.map((error) => (error as SluiceError).code)).toEqual(['BAD_CONFIG', 'BAD_CONFIG'])
      expect(sluice.executor.metrics().subscriptions.active).toBe(0)
    })
  }
})

describe('an executor that two servers share', () => {
  it('is not disposed of with one of them, and the subscriptions of the other go on', async () => {
    const executor = createSubscriptionExecutor({ scope, eventContext: () => ({}) })
    const schema = schemaOf('tenant')
    const [stopping, staying] = [
      await openYoga({ sluice: { executor }, schema }),
      await openYoga({ sluice: { executor }, schema }),
    ]
    const ending = transports.map((transport) => stopping.subscribe(transport, 'subscription { news { id } }'))
    const going = transports.map((transport) => staying.subscribe(transport, 'subscription { news { id } }'))
    await until(() => executor.metrics().subscriptions.active === 4, 'four subscriptions run')
    await executor.publish(event)
    for (const subscriber of [...ending, ...going]) await subscriber.received(1)
    expect(executor.metrics()).toMatchObject({ executions: 1, groups: { active: 1 } })

    await stopping.dispose()
    for (const subscriber of ending) expect(await subscriber.ended).toEqual({ kind: 'complete' })
    expect(executor.metrics().subscriptions.active).toBe(2)
    await executor.publish(event)
    for (const subscriber of going) expect(await subscriber.received(2)).toHaveLength(2)
    for (const subscriber of ending) expect(subscriber.results).toHaveLength(1)

    await staying.dispose()
    await executor.dispose()
    expect(executor.metrics()).toMatchObject({
      connections: { active: 0 },
      subscriptions: { active: 0 },
      groups: { active: 0 },
    })
  })
})

describe('what attachWebSocket returns', () => {
  it('ends the sockets alone: subscriptions over SSE go on', async () => {
    const sluice = useSluice({ scope, eventContext: () => ({}) })
    const yoga = await openYoga({ sluice, schema: schemaOf('tenant') })
    const detach = sluice.attachWebSocket(yoga.server, { path: '/other' })
    const { wsClient, stream } = {
      wsClient: yoga.connect(),
      stream: yoga.subscribe('SSE', 'subscription { news { id } }'),
    }
    await wsClient.opened
    await detach()
    await detach()
    await until(() => sluice.executor.metrics().subscriptions.active === 1, 'the stream runs')
    await sluice.executor.publish(event)
    expect(await stream.received(1)).toEqual([{ data: { news: { id: 1 } } }])
    expect(await wsClient.run({ query: '{ ok }' })).toEqual({ data: { ok: null } })
  })
})
