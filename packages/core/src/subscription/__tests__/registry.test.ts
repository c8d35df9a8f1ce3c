import { GraphQLError } from 'graphql'
import { describe, expect, test } from 'vitest'
import { deferred, nextTurn, schemaOf, serve } from '../../__tests__/service.ts'
import { tappedBus } from '../../__tests__/tapped-bus.ts'
import { fromChannel } from '../../channel/from-channel.ts'
import type { SubscriptionExecutorOptions } from '../../options.ts'
import type { RegisterRequest } from '../registry.ts'

const schema = schemaOf('changed(id: Int): Json failing: Json', {
  changed: fromChannel({ channel: 'c' }),
  failing: {
    subscribe: () => {
      throw new Error('secret')
    },
  },
})
const address = { connectionId: 'c1', subscriptionId: 's1' }
const request: RegisterRequest = { ...address, query: 'subscription { changed }', tenantId: 't', userId: 'alice' }
const nothing = { connections: { active: 0 }, subscriptions: { active: 0 }, groups: { active: 0 } }

const service = (options?: SubscriptionExecutorOptions) => serve(schema, options)
const textOf = (message: Uint8Array | null) => message && Buffer.from(message).toString()

/** A service whose bus acknowledges when the test says so; once for each subscription. */
function slowService() {
  const bus = tappedBus()
  const acknowledgements: (() => void)[] = []
  const subscribe: typeof bus.subscribe = async (...args) => {
    const acknowledged = deferred()
    acknowledgements.push(acknowledged.resolve)
    await acknowledged.promise
    return bus.subscribe(...args)
  }
  const served = service({ bus: { ...bus, subscribe } })
  return { ...served, bus, acknowledgements }
}

describe('register refuses', () => {
  const long = 'x'.repeat(257)
  const wrong: Record<string, [string, object | null | undefined]> = {
    'no request': ['BAD_SUBSCRIPTION', undefined],
    'a request that is null': ['BAD_SUBSCRIPTION', null],
    'a request that is a list': ['BAD_SUBSCRIPTION', []],
    'no connectionId': ['BAD_SUBSCRIPTION', { ...request, connectionId: undefined }],
    'an empty connectionId': ['BAD_SUBSCRIPTION', { ...request, connectionId: '' }],
    'an empty subscriptionId': ['BAD_SUBSCRIPTION', { ...request, subscriptionId: '' }],
    'a subscriptionId that is a number': ['BAD_SUBSCRIPTION', { ...request, subscriptionId: 1 }],
    'a subscriptionId that is too long': ['BAD_SUBSCRIPTION', { ...request, subscriptionId: long }],
    'a query that is no string': ['BAD_SUBSCRIPTION', { ...request, query: {} }],
    'a query that does not parse': ['BAD_SUBSCRIPTION', { ...request, query: 'subscription {' }],
    'a query that does not validate': ['BAD_SUBSCRIPTION', { ...request, query: 'subscription { unknown }' }],
    'a query that is nested without end': ['BAD_SUBSCRIPTION', { ...request, query: '{a'.repeat(50_000) }],
    'a query operation': ['BAD_SUBSCRIPTION', { ...request, query: '{ ok }' }],
    'an operation name that is a number': ['BAD_SUBSCRIPTION', { ...request, operationName: 1 }],
    'an unknown operation name': ['BAD_SUBSCRIPTION', { ...request, operationName: 'Unknown' }],
    'variables that are a list': ['BAD_SUBSCRIPTION', { ...request, variables: [] }],
    'variables that are a string': ['BAD_SUBSCRIPTION', { ...request, variables: '{}' }],
    'a variable of the wrong type': [
      'BAD_SUBSCRIPTION',
      { ...request, query: 'subscription ($id: Int) { changed(id: $id) }', variables: { id: 'x' } },
    ],
    'extensions that are a list': ['BAD_SUBSCRIPTION', { ...request, extensions: [] }],
    'a subscribe resolver that throws': ['BAD_SUBSCRIPTION', { ...request, query: 'subscription { failing }' }],
    'no tenantId': ['UNAUTHENTICATED', { ...request, tenantId: undefined }],
    'an empty tenantId': ['UNAUTHENTICATED', { ...request, tenantId: '' }],
    'an empty userId': ['UNAUTHENTICATED', { ...request, userId: '' }],
  }

  test.each(Object.entries(wrong))('%s, and keeps nothing', async (_, [code, bad]) => {
    const { executor, bus } = service()
    await expect(executor.register(bad as RegisterRequest)).rejects.toMatchObject({ name: 'SluiceError', code })
    expect(executor.metrics()).toMatchObject(nothing)
    expect(bus.stats().listenerCount).toBe(0)
    await executor.register(request)
  })

  test('with the GraphQL errors as errors', async () => {
    const { executor } = service()
    const bad = { ...request, query: 'subscription { unknown other }' }
    const error = await executor.register(bad).catch((failure: unknown) => failure)
    expect(error).toMatchObject({ errors: expect.arrayContaining([expect.any(GraphQLError)]) })
  })

  test('everything without a schema', async () => {
    const { executor } = service({ schema: undefined })
    await expect(executor.register(request)).rejects.toMatchObject({ code: 'BAD_CONFIG' })
    executor.setSchema(schema)
    await executor.register(request)
  })

  test('everything while it drains', async () => {
    const { executor } = service()
    await executor.drain()
    await expect(executor.register(request)).rejects.toMatchObject({ code: 'DRAINING' })
    expect(executor.metrics()).toMatchObject(nothing)
  })
})

describe('an id', () => {
  test('that runs on this connection is SUBSCRIPTION_EXISTS; on another connection it is another subscription', async () => {
    const { executor, publish } = service()
    const other = { ...address, connectionId: 'c2' }
    await executor.register(request)
    await expect(executor.register(request)).rejects.toMatchObject({ code: 'SUBSCRIPTION_EXISTS' })
    await executor.register({ ...request, ...other, tenantId: 'other' })
    await publish('c', 1)
    expect(textOf(executor.nextMessage(address))).toBe('{"id":"s1","type":"next","payload":{"data":{"changed":1}}}')
    expect(executor.nextMessage(other)).toBeNull()
    expect(executor.metrics()).toMatchObject({ connections: { active: 2 }, subscriptions: { active: 2 } })
  })

  test('is free again after complete', async () => {
    const { executor, publish } = service()
    await executor.register(request)
    await publish('c', 'of the first one')
    await executor.complete(address)
    expect(executor.metrics()).toMatchObject(nothing)
    await executor.register(request)
    expect(executor.nextMessage(address)).toBeNull()
  })

  test.each(['"', '\\', '__proto__', '\u0000', 'ü😀', '","type":"complete"'])(
    'may be %j, and is in the message as JSON',
    async (id) => {
      const { executor, publish } = service()
      await executor.register({ ...request, connectionId: id, subscriptionId: id })
      await publish('c', 1)
      const message = executor.nextMessage({ connectionId: id, subscriptionId: id })
      expect(JSON.parse(textOf(message) as string)).toEqual({ id, type: 'next', payload: { data: { changed: 1 } } })
    },
  )

  test('that is unknown is SUBSCRIPTION_NOT_FOUND', async () => {
    const { executor } = service()
    await executor.register(request)
    const notFound = expect.objectContaining({ code: 'SUBSCRIPTION_NOT_FOUND' })
    const unknown = [
      { ...address, subscriptionId: 's2' },
      { ...address, connectionId: 'c2' },
      { connectionId: '__proto__', subscriptionId: 'constructor' },
    ]
    for (const other of unknown) {
      expect(() => executor.nextMessage(other)).toThrow(notFound)
      await expect(executor.complete(other)).rejects.toEqual(notFound)
    }
    await executor.completeConnection('c2')
    expect(executor.metrics().subscriptions.active).toBe(1)
  })
})

describe('while a subscription is being started', () => {
  test('there is no message, and its id is taken', async () => {
    const { executor, acknowledgements } = slowService()
    const registering = executor.register(request)
    await nextTurn()
    expect(executor.nextMessage(address)).toBeNull()
    await expect(executor.register(request)).rejects.toMatchObject({ code: 'SUBSCRIPTION_EXISTS' })
    acknowledgements[0]?.()
    await registering
    expect(executor.metrics().subscriptions.active).toBe(1)
  })

  test.each([
    ['complete', (executor: ReturnType<typeof service>['executor']) => executor.complete(address)],
    ['completeConnection', (executor: ReturnType<typeof service>['executor']) => executor.completeConnection('c1')],
  ])('%s ends it before it begins', async (_, end) => {
    const { executor, acknowledgements, bus } = slowService()
    const registering = executor.register(request).catch((error: unknown) => error)
    await nextTurn()
    await end(executor)
    expect(() => executor.nextMessage(address)).toThrow('There is no subscription')
    acknowledgements[0]?.()
    expect(await registering).toMatchObject({ code: 'SUBSCRIPTION_NOT_FOUND' })
    await nextTurn()
    expect(executor.metrics()).toMatchObject(nothing)
    expect(bus.inner.stats().listenerCount).toBe(0)
  })

  test('the same id can begin again after complete, and the first one does not take its place', async () => {
    const gates = [deferred(), deferred()]
    const { subscribe, resolve } = fromChannel({ channel: 'c' })
    const gated = async (...[root, args, context, info]: Parameters<typeof subscribe>) => {
      await gates[args.n]?.promise
      return subscribe(root, args, context, info)
    }
    const { executor, publish } = serve(schemaOf('changed(n: Int): Json', { changed: { subscribe: gated, resolve } }))
    await executor.register({ ...request, subscriptionId: 'keeps the connection' })
    const first = executor
      .register({ ...request, query: 'subscription { first: changed(n: 0) }' })
      .catch((error: unknown) => error)
    await nextTurn()
    await executor.complete(address)
    const second = executor.register({ ...request, query: 'subscription { second: changed(n: 1) }' })
    gates[0]?.resolve()
    expect(await first).toMatchObject({ code: 'SUBSCRIPTION_NOT_FOUND' })
    gates[1]?.resolve()
    expect(await second).toMatchObject(address)
    await publish('c', 1)
    expect(textOf(executor.nextMessage(address))).toContain('{"second":1}')
    expect(executor.metrics().subscriptions.active).toBe(2)
  })
})

test('completeConnection ends all subscriptions of that connection and no other', async () => {
  const { executor, bus } = service()
  for (const subscriptionId of ['s1', 's2', 's3']) await executor.register({ ...request, subscriptionId })
  await executor.register({ ...request, connectionId: 'c2' })
  await executor.completeConnection('c1')
  expect(executor.metrics()).toMatchObject({
    connections: { active: 1, total: 2 },
    subscriptions: { active: 1, total: 4 },
  })
  expect(executor.nextMessage({ ...address, connectionId: 'c2' })).toBeNull()
  await executor.completeConnection('c2')
  expect(executor.metrics()).toMatchObject(nothing)
  await nextTurn()
  expect(bus.stats().listenerCount).toBe(0)
})
