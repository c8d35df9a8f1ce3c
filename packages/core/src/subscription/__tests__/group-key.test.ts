import { defaultFieldResolver, defaultTypeResolver, type GraphQLSchema, parse } from 'graphql'
import { describe, expect, test } from 'vitest'
import {
  alice,
  bob,
  type Request,
  schemaOf,
  serve,
  type SubscriptionField,
  take,
  type Viewer,
} from '../../__tests__/service.ts'
import { fromChannel } from '../../channel/from-channel.ts'

type Subscription = [query: string, viewer?: Viewer, request?: Request]
type Args = Record<string, unknown>

const eventContext = () => ({})
const all = { channel: 'c', share: 'tenant' as const }

/** Every field takes every event of the channel "c"; they differ in what the group's key is made of. */
function schema(): GraphQLSchema {
  const wrapped = fromChannel(all)
  return schemaOf(
    `plain(a: Json, b: Json): Json  other: Json  channels(extra: String): Json  types: Json
     matched(n: Int): Json  byUser: Json  byRole: Json  filtered: Json  wrapped(n: Json): Json  gaps: Json
     byContext: Json  argsByContext: Json  item(id: ID): Item`,
    {
      plain: fromChannel(all),
      other: fromChannel(all),
      channels: fromChannel({ ...all, channel: ({ extra }: Args) => (extra ? ['c', String(extra)] : 'c') }),
      types: {
        subscribe: (...a) => fromChannel({ ...all, types: a[2].types }).subscribe(...a),
      },
      matched: fromChannel({ ...all, match: ({ n }: Args) => ({ n: n === null ? undefined : [1, Number(n)] }) }),
      byUser: fromChannel({ ...all, share: 'user' }),
      byRole: fromChannel({ ...all, share: (scope) => String(scope['role']) }),
      filtered: { subscribe: (...a) => fromChannel({ ...all, filter: () => true }).subscribe(...a) },
      wrapped: { subscribe: (root, { n }, ...rest) => wrapped.subscribe(root, { given: n }, ...rest) },
      gaps: { subscribe: (...a) => fromChannel({ ...all, onGap: a[2].onGap }).subscribe(...a) },
      byContext: fromChannel({ ...all, channel: (_args, { rooms }) => rooms, match: (_args, { n }) => ({ n }) }),
      argsByContext: {
        subscribe: (root, _args, context, info) => wrapped.subscribe(root, { given: context.given }, context, info),
      },
      item: fromChannel(all),
    },
    'type Item { id(format: String = "short"): ID  name: String }',
  )
}

async function executionsOf(...subscriptions: readonly Subscription[]): Promise<number> {
  const { executor, subscribe, publish } = serve(schema(), { eventContext })
  const streams = await Promise.all(subscriptions.map((subscription) => subscribe(...subscription)))
  await publish('c', { n: 1, id: 7 })
  for (const stream of streams) await take(stream)
  const { executions, serializations, groups } = executor.metrics()
  expect(serializations).toBe(executions)
  expect(groups.active).toBe(executions)
  return executions
}

const one = 'subscription { plain }'
const withVariable = 'subscription ($a: Json = "x", $b: Json) { plain(a: $a, b: $b) }'
const nested = 'subscription ($format: String = "short") { item(id: 1) { id(format: $format) } }'

describe('these subscriptions are executed once and serialised once', () => {
  const same: Record<string, Subscription[]> = {
    'the same, of two users': [[one], [one, bob]],
    'with other white space and comments': [
      [one],
      ['# hello\nsubscription   {\n plain # world\n}'],
      ['subscription{plain}'],
    ],
    'with the same variables in another order': [
      [withVariable, alice, { variables: { a: 1, b: { x: 1, y: [2] } } }],
      [withVariable, bob, { variables: { b: { y: [2], x: 1 }, a: 1 } }],
    ],
    'with other variables that are not declared': [
      [one, alice, { variables: { a: 1 } }],
      [one, bob, { variables: { a: 2, tenantId: 'other' } }],
      [one],
    ],
    'of users who differ in expiresAt alone': [
      ['subscription { byUser }', { ...alice, expiresAt: Date.now() + 60_000 }],
      ['subscription { byUser }', { ...alice, expiresAt: new Date(Date.now() + 90_000) }],
    ],
    'of one role': [
      ['subscription { byRole }', { ...alice, role: 'a' }],
      ['subscription { byRole }', { ...bob, role: 'a' }],
    ],
    'with initial contexts and root values that are equal': [
      [one, alice, { context: { mine: 1 } }],
      [one, bob, { context: { mine: 2 }, args: { rootValue: undefined } }],
    ],
    'another rootValue, which no execution gets': [
      [one, alice, { args: { rootValue: {} } }],
      [one, alice, { args: { rootValue: {} } }],
    ],
    'default resolvers that are null and not given': [
      [one, alice, { args: { fieldResolver: null, typeResolver: null } }],
      [one, alice, { args: {} }],
    ],
    'the only operation named and not named': [
      ['subscription A { plain }', alice, { args: { operationName: 'A' } }],
      ['subscription A { plain }', alice, { args: { operationName: null } }],
    ],
  }
  test.each(Object.entries(same))('%s', async (_, subscriptions) => {
    expect(await executionsOf(...subscriptions)).toBe(1)
  })
})

describe('these subscriptions are not executed together', () => {
  const { item } = { item: 'subscription { item(id: 1) { id } }' }
  const different: Record<string, [Subscription, Subscription]> = {
    'other fields': [[one], ['subscription { other }']],
    'other aliases': [[one], ['subscription { alias: plain }']],
    'other selections': [[item], ['subscription { item(id: 1) { id name } }']],
    'other literals': [['subscription { plain(a: 1) }'], ['subscription { plain(a: "1") }']],
    'another operation of the same document': [
      ['subscription A { plain } subscription B { plain }', alice, { args: { operationName: 'A' } }],
      ['subscription A { plain } subscription B { plain }', alice, { args: { operationName: 'B' } }],
    ],
    'other variables': [
      [withVariable, alice, { variables: { a: 1 } }],
      [withVariable, alice, { variables: { a: '1' } }],
    ],
    'a variable null and not given': [
      [withVariable, alice, { variables: { b: null } }],
      [withVariable, alice, { variables: {} }],
    ],
    'a variable with its default and given': [
      [withVariable, alice, { variables: {} }],
      [withVariable, alice, { variables: { a: 'x' } }],
    ],
    'a variable undefined and not given, where it has a default': [
      [nested, alice, { variables: {} }],
      [nested, alice, { variables: { format: undefined } }],
    ],
    'a variable at a nested field': [
      [nested, alice, { variables: { format: 'a' } }],
      [nested, alice, { variables: { format: 'b' } }],
    ],
    'other channels': [['subscription { channels }'], ['subscription { channels(extra: "d") }']],
    'other types': [
      ['subscription { types }', alice, { context: { types: ['changed', 'created'] } }],
      ['subscription { types }', alice, { context: { types: ['changed', 'deleted'] } }],
    ],
    'another match': [['subscription { matched(n: 2) }'], ['subscription { matched(n: 3) }']],
    'match and no match': [['subscription { matched }'], ['subscription { matched(n: 1) }']],
    'another scope with share "user"': [
      ['subscription { byUser }', { ...alice, roles: ['reader'] }],
      ['subscription { byUser }', { ...alice, roles: ['admin'] }],
    ],
    'another string of the share function': [
      ['subscription { byRole }', { ...alice, role: 'a' }],
      ['subscription { byRole }', { ...alice, role: 'b' }],
    ],
    'another fieldResolver': [
      [one],
      [one, alice, { args: { fieldResolver: (...all) => defaultFieldResolver(...all) } }],
    ],
    'another typeResolver': [[one], [one, alice, { args: { typeResolver: (...all) => defaultTypeResolver(...all) } }]],
    'another schema': [[one], [one, alice, { args: { schema: schema() } }]],
    'a filter made anew for each subscription': [['subscription { filtered }'], ['subscription { filtered }']],
    'arguments given by a wrapping resolver': [
      ['subscription ($n: Json) { wrapped(n: $n) }', alice, { variables: { n: [1] } }],
      ['subscription ($n: Json) { wrapped(n: $n) }', alice, { variables: { n: [2] } }],
    ],
    'another onGap': [
      ['subscription { gaps }', alice, { context: { onGap: 'end' } }],
      ['subscription { gaps }', alice, { context: { onGap: 'signal' } }],
    ],
    'channels that the context decides': [
      ['subscription { byContext }', alice, { context: { rooms: ['c', 'd'] } }],
      ['subscription { byContext }', alice, { context: { rooms: ['c', 'e'] } }],
    ],
    'a match that the context decides': [
      ['subscription { byContext }', alice, { context: { rooms: 'c', n: [1, 2] } }],
      ['subscription { byContext }', alice, { context: { rooms: 'c', n: [1, 3] } }],
    ],
    'arguments of the filter that the context decides': [
      ['subscription { argsByContext }', alice, { context: { given: 1 } }],
      ['subscription { argsByContext }', alice, { context: { given: 2 } }],
    ],
    'a document that was rewritten': [
      [one],
      [one, alice, { args: { document: parse('subscription { plain(a: 1) }') } }],
    ],
  }
  test.each(Object.entries(different))('%s', async (_, subscriptions) => {
    expect(await executionsOf(...subscriptions)).toBe(2)
  })

  test('two tenants, also on a channel that they share', async () => {
    const { executor, subscribe } = serve(
      schemaOf('changed: Json', { changed: fromChannel({ ...all, tenancy: 'shared' }) }),
      { eventContext },
    )
    await subscribe('subscription { changed }', alice)
    await subscribe('subscription { changed }', { ...alice, tenantId: 'other' })
    expect(executor.metrics().groups.active).toBe(2)
  })

  test('the tenants’ channel and one of the same name that all tenants share', async () => {
    const field = (tenancy: 'scoped' | 'shared') => fromChannel({ ...all, tenancy })
    const byContext: SubscriptionField = { subscribe: (...given) => field(given[2].tenancy).subscribe(...given) }
    const { executor, subscribe } = serve(schemaOf('changed: Json', { changed: byContext }), { eventContext })
    await subscribe('subscription { changed }', alice, { context: { tenancy: 'scoped' } })
    await subscribe('subscription { changed }', alice, { context: { tenancy: 'shared' } })
    expect(executor.metrics().groups.active).toBe(2)
  })
})

describe('what has no canonical form is not shared, and the metrics say why', () => {
  class Upload {
    readonly size = 1
  }
  const cases: Record<string, [unknown, Subscription]> = {
    'variables with an instance of a class': ['variables', [withVariable, alice, { variables: { a: new Upload() } }]],
    'variables with a function': ['variables', [withVariable, alice, { variables: { a: () => 1 } }]],
    'a scope with an instance of a class, if the user is the partition': [
      'scope',
      ['subscription { byUser }', { ...alice, session: new Map() }],
    ],
  }
  test.each(Object.entries(cases))('%s', async (_, [reason, subscription]) => {
    const { executor, subscribe, publish } = serve(schema(), { eventContext })
    const streams = [await subscribe(...subscription), await subscribe(...subscription)]
    await publish('c', {})
    for (const stream of streams) await take(stream)
    expect(executor.metrics()).toMatchObject({
      executions: 2,
      groups: { active: 2, unshared: { byReason: { [String(reason)]: 2 } } },
    })
    for (const stream of streams) await stream.return(undefined)
    expect(executor.metrics().groups).toEqual({ active: 0, unshared: { byReason: {} } })
  })

  test('a scope with an instance of a class does not matter where the tenant is the partition', async () => {
    const viewer = { ...alice, session: new Map() }
    expect(await executionsOf([one, viewer], [one, viewer])).toBe(1)
  })
})
