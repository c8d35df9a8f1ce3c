import { describe, expect, test, vi } from 'vitest'
import { alice, bob, codesOf, schemaOf, serve, take } from '../../__tests__/service.ts'
import { SHARED } from '../../bus/channel-key.ts'
import { fromChannel } from '../../channel/from-channel.ts'
import { createSubscriptionExecutor } from '../../executor.ts'
import type { Share } from '../../scope/partition.ts'

const byRole: Share = ({ role }) => `role:${String(role)}`

function schemaFor(share: Share) {
  const context = (_data: unknown, _args: unknown, found: unknown) => found
  return schemaOf('changed: Json again: Json everywhere: Json wide: Json', {
    changed: fromChannel({ channel: 'c', share, resolve: context }),
    again: fromChannel({ channel: 'c', share, resolve: context }),
    everywhere: fromChannel({ channel: 'c', share, tenancy: 'shared', resolve: context }),
  })
}

function setUp(share: Share) {
  const eventContext = vi.fn(({ scope, event }) => ({ scope, data: event.data }))
  return { ...serve(schemaFor(share), { eventContext }), eventContext }
}

const changed = 'subscription { changed }'
const viewer = { ...alice, role: 'a', locale: 'de', expiresAt: Date.now() + 60_000 }
const { expiresAt: _, ...claims } = viewer

describe('eventContext is called with', () => {
  const cases: [string, Share, object][] = [
    ['the whole scope but its expiry, for share "user"', 'user', claims],
    ['the tenant alone, for share "tenant"', 'tenant', { tenantId: 't' }],
    ['the tenant and the partition, for a function', byRole, { tenantId: 't', partition: 'role:a' }],
  ]
  test.each(cases)('%s, and no initial context', async (_name, share, scope) => {
    const { subscribe, publish, eventContext } = setUp(share)
    const stream = await subscribe(changed, viewer)
    await publish('c', 7, { eventId: 'e1', headers: { trace: 'x' } })
    const event = {
      tenantId: 't',
      channel: 'c',
      type: 'changed',
      data: 7,
      eventId: 'e1',
      publishedAt: expect.any(Number),
      headers: { trace: 'x' },
    }
    expect(eventContext.mock.calls).toStrictEqual([[{ scope, event }]])
    expect(await take(stream)).toEqual({ data: { changed: { scope, data: 7 } } })
  })

  test('the whole scope and the initial context, for share "subscriber"', async () => {
    const { subscribe, publish, eventContext } = setUp('subscriber')
    await subscribe(changed, viewer, { context: { mine: 1 } })
    await publish('c', 7)
    expect(eventContext).toHaveBeenCalledExactlyOnceWith({
      scope: viewer,
      event: expect.objectContaining({ data: 7 }),
      initialContext: { viewer, mine: 1 },
    })
  })

  test('no initial context and no expiry, for share "user" of a scope that cannot be compared', async () => {
    const { subscribe, publish, eventContext } = setUp('user')
    const session = new Map()
    await subscribe(changed, { ...viewer, session }, { context: { mine: 1 } })
    await publish('c', 7)
    expect(eventContext.mock.calls).toStrictEqual([[{ scope: { ...claims, session }, event: expect.anything() }]])
  })

  test('an event that nobody can change', async () => {
    const { subscribe, publish, eventContext } = setUp('tenant')
    await subscribe(changed)
    await publish('c', { list: [{ id: 1 }] }, { headers: {} })
    const [{ event, scope }] = eventContext.mock.calls[0] as [
      { event: { data: { list: object[] }; headers: object }; scope: object },
    ]
    for (const part of [event, event.data, event.data.list, event.data.list[0], event.headers, scope]) {
      expect(Object.isFrozen(part)).toBe(true)
    }
  })
})

describe('eventContext is called once per event and partition', () => {
  test.each([['user'], ['tenant'], [byRole]] as [Share][])('for two documents, with share %s', async (share) => {
    const { subscribe, publish, eventContext, executor } = setUp(share)
    const streams = [
      await subscribe(changed, viewer),
      await subscribe('subscription { again }', viewer),
      await subscribe(changed, viewer),
    ]
    await publish('c', 1)
    for (const stream of streams) await take(stream)
    expect(eventContext).toHaveBeenCalledTimes(1)
    expect(executor.metrics().executions).toBe(2)
    await publish('c', 2)
    expect(eventContext).toHaveBeenCalledTimes(2)
  })

  test('and for each partition', async () => {
    const { subscribe, publish, eventContext } = setUp(byRole)
    for (const role of ['a', 'b', 'a', 'c']) await subscribe(changed, { ...bob, role })
    await publish('c', 1)
    expect(eventContext.mock.calls.map(([{ scope }]) => scope.partition)).toEqual(['role:a', 'role:b', 'role:c'])
  })

  test('and for each subscription with share "subscriber"', async () => {
    const { subscribe, publish, eventContext } = setUp('subscriber')
    await subscribe(changed)
    await subscribe(changed)
    await publish('c', 1)
    expect(eventContext).toHaveBeenCalledTimes(2)
  })

  test.each([['user'], ['tenant'], [() => 'everybody']] as [Share][])(
    'and for each tenant of a channel that tenants share, with share %s',
    async (share) => {
      const { subscribe, publish, eventContext } = setUp(share)
      const query = 'subscription { everywhere }'
      const streams = [await subscribe(query, { tenantId: 'a' }), await subscribe(query, { tenantId: 'b' })]
      await publish('c', 1, { tenantId: SHARED })
      const tenants = await Promise.all(streams.map(async (stream) => (await take(stream)).data?.['everywhere']))
      expect(tenants).toMatchObject([{ scope: { tenantId: 'a' } }, { scope: { tenantId: 'b' } }])
      for (const [{ event }] of eventContext.mock.calls) expect('tenantId' in event).toBe(false)
    },
  )
})

describe('without eventContext', () => {
  test('each event gets a fresh shallow copy of the subscriber’s own context', async () => {
    class Context {
      readonly shared = { kept: 0 }
      events = 0
      viewer = alice
      get isLazy(): boolean {
        return true
      }
    }
    const seen: Context[] = []
    const resolve = (_data: unknown, _args: unknown, context: Context) => {
      seen.push(context)
      context.events += 1
      context.shared.kept += 1
      return null
    }
    const { subscribe, publish } = serve(schemaOf('changed: Json', { changed: fromChannel({ channel: 'c', resolve }) }))
    const contextValue = new Context()
    await subscribe(changed, undefined, { args: { contextValue } })
    await publish('c', 1)
    await publish('c', 2)
    expect(seen.map(({ events }) => events)).toEqual([1, 1])
    expect(seen[0]).not.toBe(seen[1])
    expect(seen[0]).toBeInstanceOf(Context)
    expect(seen[0]?.isLazy).toBe(true)
    expect(contextValue).toMatchObject({ events: 0, shared: { kept: 2 } })
  })

  test('getters of the context are copied, not called', async () => {
    const get = vi.fn(() => 'database')
    const context = Object.defineProperty({}, 'db', { get, enumerable: true })
    const resolve = (_data: unknown, { use }: { use: boolean }, { db }: { db: unknown }) => (use ? db : null)
    const schema = schemaOf('changed(use: Boolean): Json', {
      changed: fromChannel({
        channel: 'c',
        resolve: (data, args, context) => (args.use ? resolve(data, args, context) : null),
      }),
    })
    const { subscribe, publish } = serve(schema, { scope: () => alice })
    const stream = await subscribe('subscription { changed(use: true) }', undefined, {
      args: { contextValue: context },
    })
    await subscribe('subscription { changed(use: false) }', undefined, { args: { contextValue: context } })
    expect(get).not.toHaveBeenCalled()
    await publish('c', 1)
    expect(await take(stream)).toEqual({ data: { changed: 'database' } })
    expect(get).toHaveBeenCalledTimes(1)
  })

  test.each([['user'], ['tenant'], [byRole]] as [Share][])(
    'share %s is BAD_CONFIG, as soon as the schema is known',
    async (share) => {
      const schema = schemaFor(share)
      const misconfigured = expect.objectContaining({
        code: 'BAD_CONFIG',
        message: expect.stringContaining('"eventContext"'),
      })
      expect(() => createSubscriptionExecutor({ schema })).toThrow(misconfigured)
      expect(() => createSubscriptionExecutor().setSchema(schema)).toThrow(misconfigured)
      const { attempt, executor, errors } = serve(schema, { schema: undefined })
      expect(codesOf(await attempt(changed))).toEqual(['BAD_CONFIG'])
      expect(executor.metrics()).toMatchObject({ subscriptions: { active: 0 }, groups: { active: 0 } })
      expect(errors).toEqual([misconfigured])
    },
  )

  test('a wide share behind a wrapping resolver is BAD_CONFIG when it is subscribed to', async () => {
    const { subscribe } = fromChannel({ channel: 'c', share: 'tenant' })
    const wrapped = { subscribe: (...all: Parameters<typeof subscribe>) => subscribe(...all) }
    const { attempt } = serve(schemaOf('changed: Json', { changed: wrapped }))
    expect(codesOf(await attempt(changed))).toEqual(['BAD_CONFIG'])
  })
})
