import { type ExecutionResult, GraphQLError } from 'graphql'
import { describe, expect, it } from 'vitest'
import type { HostFactory, HostIdentity, ResultRewriter } from '../host-factory.ts'
import { openHost, scopeOfToken, transportsOf } from './fixture.ts'

const users = ['ann', 'ben', 'eve'].map((userId) => ({ tenantId: 'acme', userId }))
const query = 'subscription { ofTenant(channel: "items") { id refused } }'

/** Other plugins rewrite results for each subscriber. Results are shared; rewrites must not be. */
export function resultHooksContract(factory: HostFactory): void {
  describe('hooks on results', () => {
    if (factory.features.resultHooks) {
      rewritesStayApart(factory)
      sharedPartsAreFrozen(factory)
      errorsOfOneSubscriber(factory)
    } else {
      everybodyGetsTheSame(factory)
    }
  })
}

function everybodyGetsTheSame(factory: HostFactory): void {
  it('do not exist: everybody gets the same', async () => {
    const { active, host, publish, subscribe } = await openHost(factory)
    const subscribers = users.map((who) => subscribe('WebSocket', who, query))
    await active(3)
    await publish({ id: '1' })
    const [first, ...others] = await Promise.all(subscribers.map((subscriber) => subscriber.received(1)))
    for (const other of others) expect(other).toEqual(first)
    expect(host.executor.metrics().serializations).toBe(1)
  })
}

const rewriters: Readonly<Record<string, ResultRewriter>> = {
  'extensions in place': (result, identity) => {
    Object.assign(result, { extensions: { ...result.extensions, tag: tagOf(identity) } })
    return undefined
  },
  'extensions by replacement': (result, identity) => ({ ...result, extensions: { tag: tagOf(identity) } }),
  'errors in place': (result, identity) => {
    Object.assign(result, { errors: withTag(result, identity) })
    return undefined
  },
  'errors within their array': (result, identity) => {
    const errors = result.errors as GraphQLError[]
    for (const [index, error] of withTag(result, identity).entries()) errors[index] = error
    return undefined
  },
  'errors by replacement': (result, identity) => ({ ...result, errors: withTag(result, identity) }),
  'data in place': (result, identity) => {
    Object.assign(result, { data: { tag: tagOf(identity) } })
    return undefined
  },
  'data by replacement': (result, identity) => ({ ...result, data: { ...result.data, tag: tagOf(identity) } }),
}

function rewritesStayApart(factory: HostFactory): void {
  for (const transport of transportsOf(factory)) {
    for (const [what, rewriteResult] of Object.entries(rewriters)) {
      it(`reach only their subscriber when they rewrite ${what} over ${transport}`, async () => {
        const { active, errors, publish, subscribe } = await openHost(factory, { rewriteResult })
        const subscribers = users.map((who) => subscribe(transport, who, query))
        await active(3)
        for (const id of ['1', '2']) await publish({ id })
        for (const [index, subscriber] of subscribers.entries()) {
          for (const result of await subscriber.received(2)) {
            const tags = JSON.stringify(result).match(/only for \w+/g)
            expect(tags).toEqual([`only for ${users[index]?.userId}`])
          }
        }
        expect(errors).toEqual([])
      })
    }
  }
}

function sharedPartsAreFrozen(factory: HostFactory): void {
  for (const transport of transportsOf(factory)) {
    it(`cannot change in place what all share, below the top level, over ${transport}`, async () => {
      const outcomes: unknown[] = []
      const { active, publish, subscribe } = await openHost(factory, {
        rewriteResult({ data }, identity) {
          const item = data?.['ofTenant'] as object
          for (const shared of [item, data ?? {}])
            outcomes.push(outcomeOf(() => Object.assign(shared, { id: tagOf(identity) })))
          return undefined
        },
      })
      const subscribers = users.map((who) =>
        subscribe(transport, who, 'subscription { ofTenant(channel: "items") { id } }'),
      )
      await active(3)
      await publish({ id: '1' })
      for (const subscriber of subscribers) {
        expect(await subscriber.received(1)).toEqual([{ data: { ofTenant: { id: '1' } } }])
      }
      expect(outcomes).toEqual(Array.from({ length: 6 }, () => 'TypeError'))
    })
  }
}

function errorsOfOneSubscriber(factory: HostFactory): void {
  // Errors that were masked once for the group are frozen; those that were not are copies.
  const areFrozen = factory.features.maskedErrors === 'perGroup'

  for (const transport of transportsOf(factory)) {
    it(`${areFrozen ? 'cannot change an error in place' : 'change an error of one subscriber'} over ${transport}`, async () => {
      const outcomes: unknown[] = []
      const { active, publish, subscribe } = await openHost(factory, {
        rewriteResult({ errors = [] }, identity) {
          for (const { extensions } of errors)
            outcomes.push(outcomeOf(() => Object.assign(extensions, { tag: tagOf(identity) })))
          return undefined
        },
      })
      const subscribers = users.map((who) => subscribe(transport, who, query))
      await active(3)
      await publish({ id: '1' })
      for (const [index, subscriber] of subscribers.entries()) {
        const [result] = await subscriber.received(1)
        expect(result?.errors).toMatchObject([{ message: 'Not for you', extensions: { code: 'REFUSED' } }])
        expect(result?.errors?.[0]?.extensions?.['tag']).toBe(
          areFrozen ? undefined : `only for ${users[index]?.userId}`,
        )
      }
      expect(outcomes).toEqual(users.map(() => (areFrozen ? 'TypeError' : 'done')))
    })
  }
}

function withTag({ errors = [] }: ExecutionResult, identity: HostIdentity): GraphQLError[] {
  return errors.map(
    ({ message, extensions }) => new GraphQLError(message, { extensions: { ...extensions, tag: tagOf(identity) } }),
  )
}

function tagOf(identity: HostIdentity): string {
  return `only for ${scopeOfToken(identity)?.userId}`
}

function outcomeOf(change: () => void): string {
  try {
    change()
    return 'done'
  } catch (error) {
    return (error as Error).name
  }
}
