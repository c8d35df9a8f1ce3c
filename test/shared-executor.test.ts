import { makeExecutableSchema } from '@graphql-tools/schema'
import { createSubscriptionExecutor, fromChannel, type SluiceContext, type SubscriptionExecutor } from '@sluice/core'
import { type Subscriber, until } from '@sluice/testkit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { onExpress, startApollo } from './apollo-server.ts'
import { type Clients, clientsOf, transports } from './clients.ts'
import { startFastify } from './fastify-server.ts'
import { maskedBy, type TestServer } from './test-server.ts'
import { ann, ben, gil, type UserContext } from './users.ts'
import { startYoga } from './yoga-server.ts'

const servers = { yoga: startYoga, apollo: startApollo(onExpress), envelop: startFastify }
type Name = keyof typeof servers
const names = Object.keys(servers) as Name[]

const secret = 'password=hunter2'

const typeDefs = /* GraphQL */ `
  type Query { ok: Boolean }
  type Mutation { ship(id: ID!): Order }
  type Subscription { orderChanged: Order }
  type Order { id: ID!  "Always fails." broken: String }
`

const shippedOrder = (id: string) => ({ data: { orderChanged: { id } } })
const orders = 'subscription { orderChanged { id } }'

function schemaOf() {
  return makeExecutableSchema({
    typeDefs,
    resolvers: {
      Mutation: {
        async ship(_root: unknown, order: { id: string }, { sluice }: SluiceContext) {
          await sluice.publish({ channel: 'orders', type: 'shipped', data: order })
          return order
        },
      },
      Subscription: { orderChanged: fromChannel({ channel: 'orders', share: 'tenant' }) },
      Order: {
        broken: () => {
          throw new Error(secret)
        },
      },
    },
  })
}

interface Running {
  readonly executor: SubscriptionExecutor
  readonly servers: Readonly<Record<Name, TestServer>>
  readonly clients: Readonly<Record<Name, Clients>>
  /** What each server's masking hid. */
  readonly logged: Readonly<Record<Name, unknown[]>>
  /** What the executor's `onError` heard. */
  readonly errors: unknown[]
  stop(name: Name): Promise<void>
  active(count: number): Promise<void>
}

/** All three servers in this process, on one executor and one schema object. */
async function openAll(beforeLast?: (yoga: TestServer) => Promise<void>): Promise<Running> {
  const errors: unknown[] = []
  const executor = createSubscriptionExecutor<UserContext>({
    scope: ({ user }) => user,
    eventContext: () => ({}),
    onError: (error) => errors.push(error),
    onSchemaChange: 'end',
  })
  const schema = schemaOf()
  const logged: Record<Name, unknown[]> = { yoga: [], apollo: [], envelop: [] }
  const running = new Map<Name, TestServer>()
  const start = async (name: Name): Promise<TestServer> => {
    const server = await servers[name]({ schema, sluice: { executor }, log: (error) => logged[name].push(error) })
    running.set(name, server)
    return server
  }
  const stop = async (name: Name): Promise<void> => {
    const server = running.get(name)
    running.delete(name)
    await server?.stop()
    expect(server?.httpServer.listening ?? false).toBe(false)
  }
  onTestFinished(async () => {
    for (const name of names) await stop(name)
    await executor.dispose()
    const { connections, groups, subscriptions } = executor.metrics()
    expect([connections.active, groups.active, subscriptions.active]).toEqual([0, 0, 0])
  })
  const yoga = await start('yoga')
  await beforeLast?.(yoga)
  const started = { yoga, apollo: await start('apollo'), envelop: await start('envelop') }
  return {
    executor,
    servers: started,
    clients: {
      yoga: clientsOf(started.yoga),
      apollo: clientsOf(started.apollo),
      envelop: clientsOf(started.envelop),
    },
    logged,
    errors,
    stop,
    active: (count) =>
      until(
        () => executor.metrics().subscriptions.active === count,
        () => `${count} subscriptions run: ${JSON.stringify(executor.metrics())}`,
      ),
  }
}

/** Every server with every transport. */
const places = names.flatMap((name) => transports.map((transport) => ({ name, transport })))

describe('one executor for Yoga, Apollo Server and Envelop', () => {
  it.each(names)(
    'brings a mutation at %s to the subscribers of its tenant at all three, by one execution and one serialisation',
    async (mutated) => {
      const { active, clients, executor } = await openAll()
      const acme = places.map(({ name, transport }) =>
        clients[name].subscribe(transport, transport === 'SSE' ? ann : ben, orders),
      )
      const globex = places.map(({ name, transport }) => clients[name].subscribe(transport, gil, orders))
      await active(12)
      expect(executor.metrics().groups.active).toBe(2)

      expect(await clients[mutated].post(ben, 'mutation { ship(id: 7) { id } }')).toEqual({
        data: { ship: { id: '7' } },
      })
      for (const subscriber of acme) expect(await subscriber.received(1)).toEqual([shippedOrder('7')])
      const { events, executions, serializations } = executor.metrics()
      expect([executions, serializations, events.delivered]).toEqual([1, 1, 6])

      await clients[mutated].post(gil, 'mutation { ship(id: 8) { id } }')
      // The first thing that the other tenant gets is its own.
      for (const subscriber of globex) expect(await subscriber.received(1)).toEqual([shippedOrder('8')])
      for (const subscriber of acme) expect(subscriber.results).toHaveLength(1)
      const later = executor.metrics()
      expect([later.executions, later.serializations, later.events.delivered]).toEqual([2, 2, 12])
      expect(later.security.rejected).toEqual({ tenant: 0, user: 0, scope: 0 })
    },
  )

  it('masks an error for the subscribers of each server as that server does, from one execution', async () => {
    const { active, clients, errors, executor, logged } = await openAll()
    const query = 'subscription { orderChanged { id broken } }'
    const subscribers = places.map(({ name, transport }) => ({
      name,
      subscriber: clients[name].subscribe(transport, ann, query),
    }))
    await active(6)
    await executor.publish({ tenantId: 'acme', channel: 'orders', type: 'shipped', data: { id: '7' } })
    for (const { name, subscriber } of subscribers) {
      const [result] = await subscriber.received(1)
      expect(result?.data).toEqual({ orderChanged: { id: '7', broken: null } })
      expect(result?.errors).toMatchObject([{ message: maskedBy[name], path: ['orderChanged', 'broken'] }])
      expect(JSON.stringify(result)).not.toContain(secret)
    }
    expect(executor.metrics().executions).toBe(1)
    // Yoga and Apollo mask once per group, Envelop once per subscriber; and each logs for itself.
    for (const name of names) {
      expect(logged[name]).toHaveLength(name === 'envelop' ? 2 : 1)
      for (const error of logged[name]) expect(error).toMatchObject({ message: secret })
    }
    expect(errors).toEqual([])
  })

  it.each(names)('goes on for the others when the server of %s stops', async (stopping) => {
    const { active, clients, executor, servers, stop } = await openAll()
    const leaving = transports.map((transport) => clients[stopping].subscribe(transport, ann, orders))
    const others = names.filter((name) => name !== stopping)
    const staying = others.flatMap((name) =>
      transports.map((transport) => clients[name].subscribe(transport, ann, orders)),
    )
    await active(6)
    await stop(stopping)
    for (const subscriber of leaving) expect(await subscriber.ended).toEqual({ kind: 'complete' })
    await active(4)

    for (const [index, name] of others.entries()) {
      await clients[name].post(ann, `mutation { ship(id: ${index}) { id } }`)
      for (const subscriber of staying) {
        const results = await subscriber.received(index + 1)
        expect(results.at(-1)).toEqual(shippedOrder(String(index)))
      }
    }
    for (const subscriber of leaving) expect(subscriber.results).toEqual([])
    for (const subscriber of staying) expect(subscriber.end).toBeUndefined()
    expect(executor.metrics().executions).toBe(2)
    // Nobody can subscribe there any more, and everybody elsewhere.
    await expect(clientsOf(servers[stopping]).connect(ann).opened).rejects.toThrow(/closed/)
    for (const name of others) clients[name].subscribe('SSE', ann, orders)
    await active(6)
  })

  it('keeps what one server serves when another one brings the same schema', async () => {
    let early: Subscriber | undefined
    const { active, clients } = await openAll(async (yoga) => {
      early = clientsOf(yoga).subscribe('WebSocket', ann, orders)
      await until(() => yoga.executor.metrics().subscriptions.active === 1, 'it runs before the others start')
    })
    const late = clients.apollo.subscribe('WebSocket', ann, orders)
    await active(2)
    await clients.envelop.post(ann, 'mutation { ship(id: 7) { id } }')
    for (const subscriber of [early, late]) expect(await subscriber?.received(1)).toEqual([shippedOrder('7')])
  })

  it('is left usable by all of them, until it is disposed of', async () => {
    const { executor, stop } = await openAll()
    for (const name of names) await stop(name)
    const registration = await executor.register({
      connectionId: 'a transport of our own',
      subscriptionId: '1',
      query: orders,
      tenantId: 'acme',
    })
    const event = { tenantId: 'acme', channel: 'orders', type: 'shipped', data: { id: '9' } }
    await executor.publish(event)
    const messages: unknown[] = []
    for await (const message of registration) {
      messages.push(JSON.parse(String(message)))
      await executor.dispose()
    }
    expect(messages).toEqual([{ id: '1', type: 'next', payload: shippedOrder('9') }])
    await expect(executor.publish(event)).rejects.toMatchObject({ code: 'BUS_CLOSED' })
  })
})
