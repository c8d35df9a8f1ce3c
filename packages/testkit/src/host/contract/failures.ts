import { describe, expect, it } from 'vitest'
import type { HostFactory } from '../host-factory.ts'
import { openHost, transportsOf } from './fixture.ts'
import { SECRET } from './item-schema.ts'

const ann = { tenantId: 'acme', userId: 'ann' }
const ben = { tenantId: 'acme', userId: 'ben' }

/** What fails on the server fails for the group that it belongs to, and no client reads why. */
export function failuresContract(factory: HostFactory): void {
  describe('a failure', () => {
    for (const transport of transportsOf(factory)) {
      it(`of a filter withholds the event from its group alone, and says nothing, over ${transport}`, async () => {
        const { active, errors, host, publish, subscribe } = await openHost(factory)
        const subscription = (only: string): string =>
          `subscription { filtered(channel: "items", only: "${only}") { id } }`
        const [first, second, other] = ['a', 'a', 'b'].map((only) => subscribe(transport, ann, subscription(only)))
        await active(3)
        await publish({ id: '1', fail: 'filter for a' })
        await publish({ id: '2' })
        expect(await other?.received(2)).toEqual(['1', '2'].map((id) => ({ data: { filtered: { id } } })))
        for (const subscriber of [first, second])
          expect(await subscriber?.received(1)).toEqual([{ data: { filtered: { id: '2' } } }])
        expect(errors).toHaveLength(1)
        expect(host.executor.metrics().events.filtered).toBe(1)
      })

      it(`of eventContext is an error without a reason for its partition alone, over ${transport}`, async () => {
        const { active, errors, publish, subscribe } = await openHost(factory)
        const ofTenant = [ann, ben].map((who) =>
          subscribe(transport, who, 'subscription { ofTenant(channel: "items") { id } }'),
        )
        const ofUser = subscribe(transport, ann, 'subscription { ofUser(channel: "items") { id } }')
        await active(3)
        await publish({ id: '1', fail: 'context of the tenant' })
        await publish({ id: '2' })
        for (const subscriber of ofTenant) {
          const [failed, fine] = await subscriber.received(2)
          expect(failed).toMatchObject({ errors: [{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }] })
          expect(JSON.stringify(failed)).not.toContain(SECRET)
          expect(fine).toEqual({ data: { ofTenant: { id: '2' } } })
        }
        expect(await ofUser.received(2)).toEqual(['1', '2'].map((id) => ({ data: { ofUser: { id } } })))
        expect(errors).toHaveLength(1)
      })

      it(`of a resolver is an error for those who selected it, over ${transport}`, async () => {
        const { active, publish, subscribe } = await openHost(factory)
        const broken = subscribe(transport, ann, 'subscription { ofTenant(channel: "items") { id broken } }')
        const whole = subscribe(transport, ann, 'subscription { ofTenant(channel: "items") { id } }')
        await active(2)
        for (const id of ['1', '2']) await publish({ id })
        expect(await whole.received(2)).toEqual(['1', '2'].map((id) => ({ data: { ofTenant: { id } } })))
        expect((await broken.received(2)).map(({ errors }) => errors?.length)).toEqual([1, 1])
      })
    }

    it('of onError and of the log stops nothing', async () => {
      const { active, publish, subscribe } = await openHost(factory, {
        log: () => {
          throw new Error(SECRET)
        },
        executorOptions: {
          onError: () => {
            throw new Error(SECRET)
          },
          logger: { debug() {}, info() {}, warn() {}, error() {} },
        },
      })
      const subscriber = subscribe('WebSocket', ann, 'subscription { filtered(channel: "items", only: "a") { id } }')
      await active(1)
      await publish({ id: '1', fail: 'filter for a' })
      await publish({ id: '2' })
      expect(await subscriber.received(1)).toEqual([{ data: { filtered: { id: '2' } } }])
    })
  })
}
