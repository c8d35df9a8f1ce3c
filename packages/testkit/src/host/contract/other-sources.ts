import type { GraphQLSchema } from 'graphql'
import { describe, expect, it } from 'vitest'
import { executableSchema } from '../executable-schema.ts'
import type { HostContractContext, HostFactory } from '../host-factory.ts'
import { until } from '../until.ts'
import { openHost, scopeOfToken, transportsOf } from './fixture.ts'
import { SECRET } from './item-schema.ts'

const ann = { tenantId: 'acme', userId: 'ann' }
const ben = { tenantId: 'globex', userId: 'ben' }

/** A server that already has subscriptions goes on having them. */
export function otherSourcesContract(factory: HostFactory): void {
  describe('a subscribe resolver that knows nothing of Sluice', () => {
    for (const transport of transportsOf(factory)) {
      it(`goes on working over ${transport}, for each subscriber by itself and with a fresh context`, async () => {
        const pubSub = new PubSub()
        const { active, host, released, subscribe } = await openHost(factory, {
          schema: ownSchema(pubSub),
          executorOptions: { eventContext: undefined },
        })
        const subscribers = [ann, ann, ben].map((who) =>
          subscribe(transport, who, 'subscription { ticks { number user touched } }'),
        )
        await active(3)
        await until(() => pubSub.listenerCount === 3, 'three listen')
        for (const number of [1, 2, 3]) {
          pubSub.publish(number)
          for (const subscriber of subscribers) await subscriber.received(number)
        }
        for (const [index, { results }] of subscribers.entries()) {
          const user = index === 2 ? 'ben' : 'ann'
          expect(results).toEqual([1, 2, 3].map((number) => ({ data: { ticks: { number, user, touched: 1 } } })))
        }
        const { executions, groups } = host.executor.metrics()
        expect([executions, groups.active, groups.unshared.byReason]).toEqual([9, 0, { source: 3 }])
        for (const subscriber of subscribers) subscriber.complete()
        await active(0)
        await until(() => pubSub.listenerCount === 0, 'nobody listens')
        if (transport === 'SSE') await released()
      })

      it(`is asked for a scope over ${transport} like every other`, async () => {
        const pubSub = new PubSub()
        const { subscribe } = await openHost(factory, {
          schema: ownSchema(pubSub),
          executorOptions: { eventContext: undefined },
        })
        const [error] = await subscribe(transport, undefined, 'subscription { ticks { number } }').refused()
        expect(error?.extensions?.['code']).toBe('UNAUTHENTICATED')
        expect(pubSub.listenerCount).toBe(0)
      })

      it(`completes over ${transport} when its source is exhausted`, async () => {
        const { released, subscribe } = await openHost(factory, {
          schema: ownSchema(new PubSub()),
          executorOptions: { eventContext: undefined },
        })
        const subscriber = subscribe(transport, ann, 'subscription { countTo(last: 3) { number user } }')
        expect(await subscriber.ended).toEqual({ kind: 'complete' })
        expect(subscriber.results).toEqual([1, 2, 3].map((number) => ({ data: { countTo: { number, user: 'ann' } } })))
        if (transport === 'SSE') await released()
      })

      it(`tells nobody over ${transport} why its source failed`, async () => {
        const { active, subscribe } = await openHost(factory, {
          schema: ownSchema(new PubSub()),
          executorOptions: { eventContext: undefined },
        })
        const subscriber = subscribe(transport, ann, 'subscription { countTo(last: 2, fail: true) { number } }')
        const end = await subscriber.ended
        expect(subscriber.results.slice(0, 2)).toEqual([1, 2].map((number) => ({ data: { countTo: { number } } })))
        const told = JSON.stringify([end.kind === 'broken' ? String(end.error) : end, subscriber.results])
        expect(told).not.toContain(SECRET)
        expect(end.kind === 'complete' ? subscriber.results[2]?.errors : end).toBeTruthy()
        await active(0)
      })
    }
  })
}

/** What a server has that uses neither Sluice nor a library. */
class PubSub {
  readonly #listeners = new Set<(number: number) => void>()

  get listenerCount(): number {
    return this.#listeners.size
  }

  publish(number: number): void {
    for (const listener of this.#listeners) listener(number)
  }

  listen(): AsyncIterableIterator<unknown> {
    const waiting: number[] = []
    let wake = (): void => {}
    let isDone = false
    const listener = (number: number): void => {
      waiting.push(number)
      wake()
    }
    this.#listeners.add(listener)
    const iterator: AsyncIterableIterator<unknown> = {
      next: async () => {
        while (waiting.length === 0 && !isDone) {
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        }
        return isDone
          ? { done: true, value: undefined }
          : { done: false, value: { ticks: { number: waiting.shift() } } }
      },
      return: async () => {
        isDone = true
        this.#listeners.delete(listener)
        wake()
        return { done: true, value: undefined }
      },
      [Symbol.asyncIterator]: () => iterator,
    }
    return iterator
  }
}

interface TouchedContext extends HostContractContext {
  touches?: number
}

function ownSchema(pubSub: PubSub): GraphQLSchema {
  const typeDefs = /* GraphQL */ `
    type Query { ok: Boolean }
    type Subscription { ticks: Tick  countTo(last: Int!, fail: Boolean = false): Tick }
    type Tick { number: Int  user: String  "How often the context was used before, and now." touched: Int }
  `
  return executableSchema(typeDefs, {
    Subscription: {
      ticks: { subscribe: () => pubSub.listen() },
      countTo: {
        async *subscribe(_root: unknown, { last, fail }: { last: number; fail: boolean }) {
          for (let number = 1; number <= last; number += 1) yield { countTo: { number } }
          if (fail) throw new Error(SECRET)
        },
      },
    },
    Tick: {
      user: (_tick, _args, { identity }) => scopeOfToken(identity)?.userId,
      touched: (_tick, _args, context: TouchedContext) => {
        context.touches = (context.touches ?? 0) + 1
        return context.touches
      },
    },
  })
}
