import { describe, expect, test, vi } from 'vitest'
import { alice, schemaOf, serve, valuesOf } from '../../__tests__/service.ts'
import { SHARED } from '../../bus/channel-key.ts'
import { fromChannel } from '../../channel/from-channel.ts'

const event = { channel: 'c', type: 'changed', data: 1 }

function service() {
  const schema = schemaOf('changed: Json everywhere: Json', {
    changed: fromChannel({ channel: 'c' }),
    everywhere: fromChannel({ channel: 'c', tenancy: 'shared' }),
  })
  return serve(schema)
}

describe('a scoped publisher', () => {
  test("publishes to its scope's tenant", async () => {
    const { executor, subscribe, received } = service()
    const mine = await subscribe('subscription { changed }', alice)
    const foreign = await subscribe('subscription { changed }', { tenantId: 'other' })
    await executor.publisher({ tenantId: 't' }).publish(event)
    const [atMine = [], atForeign] = await received(mine, foreign)
    expect(valuesOf(atMine)).toEqual([1])
    expect(atForeign).toEqual([])
  })

  test.each([['another'], [SHARED], [''], [null], [7], [['t']], [{ toString: () => 't' }]])(
    'answers FORBIDDEN for the tenant %j',
    async (tenantId) => {
      const { executor, subscribe, received } = service()
      const streams = [
        await subscribe('subscription { changed }', { tenantId: 'another' }),
        await subscribe('subscription { everywhere }'),
      ]
      const publisher = executor.publisher(alice)
      const forged = { ...event, tenantId }
      await expect(publisher.publish(forged)).rejects.toMatchObject({ code: 'FORBIDDEN' })
      expect(executor.metrics()).toMatchObject({ events: { published: 0 }, security: { rejected: { tenant: 1 } } })
      expect(await received(...streams)).toEqual([[], []])
    },
  )

  test('may name its own tenant, and what an event inherits has no effect', async () => {
    const { executor } = service()
    const publisher = executor.publisher(alice)
    await publisher.publish({ ...event, tenantId: 't' } as typeof event)
    await publisher.publish(Object.assign(Object.create({ tenantId: 'another' }), event))
    expect(executor.metrics().events.published).toBe(2)
  })

  test('keeps the tenant that the scope had when the publisher was made', async () => {
    const { executor, subscribe, received } = service()
    const stream = await subscribe('subscription { changed }')
    const scope = { tenantId: 't' }
    const publisher = executor.publisher(scope)
    scope.tenantId = 'other'
    await publisher.publish(event)
    expect(await received(stream)).toEqual([[{ data: { changed: 1 } }]])
  })

  test('asks a function for the scope on the first publish, once', async () => {
    const { executor } = service()
    const scope = vi.fn(async () => ({ tenantId: 't' }))
    const publisher = executor.publisher(scope)
    expect(scope).not.toHaveBeenCalled()
    await Promise.all([publisher.publish(event), publisher.publish(event)])
    expect(scope).toHaveBeenCalledTimes(1)
  })

  test.each([
    ['nothing', () => null],
    ['no tenant', () => ({})],
    [
      'an exception',
      () => {
        throw new Error('secret')
      },
    ],
    ['a rejection', () => Promise.reject(new Error('secret'))],
    ['no answer in time', () => new Promise(() => undefined)],
  ])('answers UNAUTHENTICATED if the scope function gives %s', async (_, scope) => {
    const { executor } = serve(service().schema, { subscribeTimeoutMs: 20 })
    await expect(executor.publisher(scope).publish(event)).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
      message: expect.not.stringContaining('secret'),
    })
    expect(executor.metrics().events.published).toBe(0)
  })

  test('that is made from a bad scope and never used fails nobody', async () => {
    const { executor } = service()
    const publisher = executor.publisher({ tenantId: '' })
    await expect(publisher.publish(event)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  })

  test.each([[null], [undefined], ['event'], [{}], [{ ...event, data: undefined }], [{ ...event, channel: '' }]])(
    'refuses the event %j with BAD_EVENT',
    async (bad) => {
      const publisher = service().executor.publisher(alice)
      await expect(publisher.publish(bad as never)).rejects.toMatchObject({ code: 'BAD_EVENT' })
    },
  )
})

test('the publisher of a context asks the option "scope" when it is first used', async () => {
  const scope = vi.fn(({ viewer }) => viewer)
  const { executor } = serve(service().schema, { scope })
  const context = { viewer: undefined as unknown }
  const publisher = executor.publisherFor(context)
  expect(scope).not.toHaveBeenCalled()
  context.viewer = alice
  await publisher.publish(event)
  expect(scope).toHaveBeenCalledExactlyOnceWith(context)
  await expect(executor.publisherFor({}).publish(event)).rejects.toMatchObject({
    extensions: { code: 'UNAUTHENTICATED' },
  })
})

test.each([
  [{ tenantId: undefined }],
  [{ tenantId: '' }],
  [{ tenantId: 7 }],
  [{ channel: '' }],
  [{ channel: 'c'.repeat(257) }],
  [{ channel: 7 }],
  [{ type: '' }],
  [{ type: undefined }],
  [{ data: 1n }],
  [{ data: () => 1 }],
  [{ userId: 7 }],
  [{ eventId: '' }],
  [{ headers: { a: 1 } }],
])('an event with %o is refused with BAD_EVENT, and nothing is delivered', async (wrong) => {
  const { executor, subscribe, received } = service()
  const stream = await subscribe('subscription { changed }')
  await expect(executor.publish({ tenantId: 't', ...event, ...wrong } as never)).rejects.toMatchObject({
    code: 'BAD_EVENT',
  })
  expect(executor.metrics()).toMatchObject({ events: { published: 0 }, errors: { byCode: { BAD_EVENT: 1 } } })
  expect(await received(stream)).toEqual([[]])
})
