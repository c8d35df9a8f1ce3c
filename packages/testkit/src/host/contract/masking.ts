import type { GraphQLFormattedError } from 'graphql'
import { describe, expect, it } from 'vitest'
import type { HostFactory } from '../host-factory.ts'
import type { Subscriber } from '../subscriber.ts'
import { openHost, transportsOf } from './fixture.ts'
import { SECRET } from './item-schema.ts'

const ann = { tenantId: 'acme', userId: 'ann' }
const ben = { tenantId: 'acme', userId: 'ben' }

/** The host's error masking holds for subscriptions as for everything else, on each transport and for each share. */
export function maskingContract(factory: HostFactory): void {
  const { maskedErrors } = factory.features
  const transports = transportsOf(factory)

  describe('error masking', () => {
    for (const field of ['ofSubscriber', 'ofUser', 'ofTenant']) {
      for (const transport of transports) {
        const does = maskedErrors === 'none' ? 'passes on' : 'masks'
        it(`${does} a resolver's internal error in ${field} over ${transport}`, async () => {
          const { active, host, logged, publish, subscribe } = await openHost(factory)
          const subscribers = [ann, ann, ben].map((who) =>
            subscribe(transport, who, `subscription { ${field}(channel: "items") { id broken } }`),
          )
          await active(3)
          await publish({ id: '1' })
          await publish({ id: '2' })
          for (const subscriber of subscribers) {
            const results = await subscriber.received(2)
            expect(results.map(({ data }) => data)).toEqual(['1', '2'].map((id) => ({ [field]: { id, broken: null } })))
            for (const { errors } of results) {
              expect(errors?.map(({ path }) => path)).toEqual([[field, 'broken']])
              expectMessage(errors?.[0], maskedErrors)
            }
          }
          const groupCount = host.executor.metrics().groups.active
          expect(groupCount).toBe({ ofSubscriber: 3, ofUser: 2, ofTenant: 1 }[field])
          const linesPerEvent = { perGroup: groupCount, perSubscriber: subscribers.length, none: 0 }[maskedErrors]
          expect(logged).toHaveLength(2 * linesPerEvent)
        })

        it(`passes a GraphQLError in ${field} on with its code over ${transport}`, async () => {
          const { active, errors, logged, publish, subscribe } = await openHost(factory)
          const subscribers = [ann, ben].map((who) =>
            subscribe(transport, who, `subscription { ${field}(channel: "items") { id refused } }`),
          )
          await active(2)
          await publish({ id: '1' })
          for (const subscriber of subscribers) {
            const [result] = await subscriber.received(1)
            expect(result?.data).toEqual({ [field]: { id: '1', refused: null } })
            expect(result?.errors).toMatchObject([
              { message: 'Not for you', path: [field, 'refused'], extensions: { code: 'REFUSED' } },
            ])
          }
          expect([errors, logged]).toEqual([[], []])
        })
      }
    }

    if (transports.length > 1) masksOncePerGroup(factory)

    for (const transport of transports) {
      it(`treats what a subscribe resolver throws over ${transport} like any other error of the request`, async () => {
        const { host, subscribe } = await openHost(factory)
        const refused = await subscribe(transport, ann, 'subscription { refusing(channel: "items") { id } }').refused()
        expect(refused).toHaveLength(1)
        expectMessage(refused[0], maskedErrors)
        expect(host.executor.metrics().subscriptions.total).toBe(0)
      })

      it(`shows internal errors over ${transport} where its masking is off`, async () => {
        const { active, publish, subscribe } = await openHost(factory, { maskErrors: false })
        const subscribers: Subscriber[] = [ann, ben].map((who) =>
          subscribe(transport, who, 'subscription { ofTenant(channel: "items") { id broken } }'),
        )
        await active(2)
        await publish({ id: '1' })
        for (const subscriber of subscribers) expectMessage((await subscriber.received(1))[0]?.errors?.[0], 'none')
      })
    }
  })
}

function expectMessage(
  error: GraphQLFormattedError | undefined,
  maskedErrors: HostFactory['features']['maskedErrors'],
): void {
  if (maskedErrors === 'none') {
    expect(error?.message).toBe(SECRET)
  } else {
    expect(error?.message).toEqual(expect.stringMatching(/./))
    expect(JSON.stringify(error)).not.toContain(SECRET)
  }
}

/** One group may be spread over the transports. */
function masksOncePerGroup(factory: HostFactory): void {
  const { maskedErrors } = factory.features
  const transports = transportsOf(factory)
  it('masks once for a group that is spread over the transports', async () => {
    const { active, logged, publish, subscribe } = await openHost(factory)
    const query = 'subscription { ofTenant(channel: "items") { id broken } }'
    const subscribers = [...transports, ...transports].map((transport) => subscribe(transport, ann, query))
    await active(4)
    await publish({ id: '1' })
    for (const subscriber of subscribers) expectMessage((await subscriber.received(1))[0]?.errors?.[0], maskedErrors)
    expect(logged).toHaveLength({ perGroup: 1, perSubscriber: 4, none: 0 }[maskedErrors])
  })
}
