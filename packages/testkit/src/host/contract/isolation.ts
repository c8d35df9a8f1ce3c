import { type EventInput, SHARED } from '@sluice/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { HostFactory } from '../host-factory.ts'
import type { Subscriber } from '../subscriber.ts'
import { type Fixture, openHost, type Transport, transportsOf } from './fixture.ts'

const fields = ['ofSubscriber', 'ofUser', 'ofTenant', 'ofRole', 'ofAll'] as const

interface Subscription {
  readonly transport: Transport
  readonly field: (typeof fields)[number]
  readonly tenantId: string
  readonly userId: string
  readonly role: string
  readonly channel: string
  readonly kind: string | null
}

interface Publication {
  /** Of the tenant alone, or of the channel that all tenants share. */
  readonly tenantId: string | undefined
  readonly channel: string
  readonly kind: string
  readonly userId: string | undefined
}

interface Result {
  readonly id: string
  readonly viewer: unknown
}

/** Names that a careless join, quotation or object key would mix up. */
const evilNames = [
  'a',
  'b',
  'a:b',
  'a:',
  ':b',
  'a\0b',
  'a\nb',
  '"',
  "'",
  '","',
  '\\',
  '{}',
  '__proto__',
  'constructor',
  'user:a',
  'tenant',
  '*',
  ' ',
  'A',
  '🚢',
]

/** Whoever subscribes to whatever under whatever name gets exactly what is meant for them, in its order. */
export function isolationContract(factory: HostFactory): void {
  const name = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...evilNames) },
    { weight: 1, arbitrary: fc.string({ minLength: 1, maxLength: 4, unit: 'binary' }) },
  )

  /** Few names in each world, so that they meet. */
  const world = fc
    .tuple(fc.uniqueArray(name, { minLength: 2, maxLength: 3 }), fc.uniqueArray(name, { minLength: 2, maxLength: 3 }))
    .chain(([names, channels]) => {
      const someone = fc.constantFrom(...names)
      const channel = fc.constantFrom(...channels)
      const subscription: fc.Arbitrary<Subscription> = fc.record({
        transport: fc.constantFrom(...transportsOf(factory)),
        field: fc.constantFrom(...fields),
        tenantId: someone,
        userId: someone,
        role: someone,
        channel,
        kind: fc.option(someone),
      })
      const publication: fc.Arbitrary<Publication> = fc.record({
        tenantId: fc.option(someone, { nil: undefined, freq: 4 }),
        channel,
        kind: someone,
        userId: fc.option(someone, { nil: undefined }),
      })
      return fc.record({
        subscriptions: fc.array(subscription, { minLength: 1, maxLength: 10 }),
        publications: fc.array(publication, { maxLength: 14 }),
        fences: fc.constant(
          names.flatMap((kind) =>
            channels.flatMap((channel) =>
              [...names, undefined].map((tenantId) => ({ tenantId, channel, kind, userId: undefined })),
            ),
          ),
        ),
      })
    })

  describe('isolation', () => {
    it('gives everybody exactly the events that are theirs, over random tenants, users, channels, shares and matches', async () => {
      const fixture = await openHost(factory)
      await fc.assert(
        fc.asyncProperty(world, async ({ subscriptions, publications, fences }) => {
          // Whatever goes astray among the first is there before everybody's last fence, or is counted as delivered.
          const events = [...publications, ...fences]
          const expected = subscriptions.map((subscription) =>
            events.flatMap((event, index) => oracle(subscription, event, index)),
          )
          const before = fixture.host.executor.metrics().events.delivered
          const subscribers = subscriptions.map((subscription) => open(fixture, subscription))
          await fixture.active(subscriptions.length)
          for (const [index, event] of events.entries()) await publish(fixture, event, index)
          await Promise.all(subscribers.map((subscriber, index) => subscriber.received(expected[index]?.length ?? 0)))
          for (const [index, subscriber] of subscribers.entries())
            expect(resultsOf(subscriber)).toEqual(expected[index])
          expect(fixture.host.executor.metrics().events.delivered - before).toBe(expected.flat().length)
          for (const subscriber of subscribers) subscriber.complete()
          await fixture.active(0)
        }),
        { numRuns: 25 },
      )
    })
  })
}

/** What the subscription is to get of the event: one result, or none. Written without a look at the implementation. */
function oracle(subscription: Subscription, event: Publication, index: number): Result[] {
  const { field, tenantId, userId, role, channel, kind } = subscription
  if (event.channel !== channel) return []
  if (field === 'ofAll' ? event.tenantId !== undefined : event.tenantId !== tenantId) return []
  if (event.tenantId !== undefined && event.userId !== undefined && event.userId !== userId) return []
  if (kind !== null && event.kind !== kind) return []
  const viewer =
    field === 'ofTenant' || field === 'ofAll'
      ? { tenantId }
      : field === 'ofRole'
        ? { tenantId, partition: role }
        : { tenantId, userId, roles: [role] }
  return [{ id: String(index), viewer }]
}

function open(fixture: Fixture, { transport, field, tenantId, userId, role, channel, kind }: Subscription): Subscriber {
  return fixture.subscribe(
    transport,
    { tenantId, userId, roles: [role] },
    {
      query: `subscription ($channel: String!, $kind: String) { ${field}(channel: $channel, kind: $kind) { id viewer } }`,
      variables: { channel, kind },
    },
  )
}

function publish({ publish }: Fixture, { tenantId, channel, kind, userId }: Publication, index: number): Promise<void> {
  // An event for all tenants cannot be for one user.
  const whose: Partial<EventInput> = tenantId === undefined ? { tenantId: SHARED } : { tenantId, userId }
  return publish({ id: String(index), kind }, { ...whose, channel })
}

function resultsOf({ results }: Subscriber): Result[] {
  return results.map(({ data, errors }) => {
    expect(errors).toBeUndefined()
    const { id, viewer } = Object.values(data ?? {})[0] as { id: string; viewer: string }
    return { id, viewer: JSON.parse(viewer) as unknown }
  })
}
