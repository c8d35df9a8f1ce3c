import { expect, test, vi } from 'vitest'
import { schemaOf, serve, take } from '../../__tests__/service.ts'
import { fromChannel } from '../../channel/from-channel.ts'
import { resolveScope } from '../resolve-scope.ts'

test('a scope is a copy, frozen through and through', () => {
  const given = { tenantId: 't', roles: ['a'], team: { name: 'x', members: [{ id: 1 }] } }
  const { scope } = resolveScope(given)
  expect(scope).toEqual(given)
  given.team.members.push({ id: 2 })
  given.roles.push('admin')
  expect(scope).toEqual({ tenantId: 't', roles: ['a'], team: { name: 'x', members: [{ id: 1 }] } })
  for (const part of [scope, scope.roles, scope['team'], Reflect.get(scope['team'] as object, 'members')]) {
    expect(Object.isFrozen(part)).toBe(true)
  }
})

test('a date in a scope is a copy as well', () => {
  const since = new Date(1000)
  const { scope } = resolveScope({ tenantId: 't', since })
  since.setTime(2000)
  expect(scope['since']).toEqual(new Date(1000))
})

test('a claim called __proto__ stays a claim', () => {
  const { scope, canonical } = resolveScope(JSON.parse('{"tenantId":"t","__proto__":{"admin":true}}'))
  expect(Object.keys(scope)).toEqual(['tenantId', '__proto__'])
  expect(scope['admin']).toBeUndefined()
  expect(canonical).not.toBe(resolveScope({ tenantId: 't' }).canonical)
})

test('claims that point at each other are copied in no time, and have no canonical form', () => {
  const team: Record<string, unknown> = { name: 'x' }
  team['members'] = [
    { id: 1, team, lead: team },
    { id: 2, team, lead: team },
  ]
  const { scope, canonical } = resolveScope({ tenantId: 't', team })
  expect(canonical).toBeUndefined()
  const copy = scope['team'] as { readonly members: readonly { readonly team: unknown }[] }
  expect(copy).not.toBe(team)
  expect(copy.members[1]?.team).toBe(copy)
  expect(Object.isFrozen(copy.members[0])).toBe(true)
})

test('the canonical form is the whole scope but its expiry', () => {
  const base = { tenantId: 't', userId: 'u', roles: ['a'] }
  const { canonical } = resolveScope(base)
  expect(resolveScope({ roles: ['a'], userId: 'u', tenantId: 't', expiresAt: Date.now() + 1000 }).canonical).toBe(
    canonical,
  )
  for (const change of [
    { userId: 'v' },
    { roles: ['b'] },
    { roles: [] },
    { locale: 'de' },
    { impersonatedBy: 'root' },
  ]) {
    expect(resolveScope({ ...base, ...change }).canonical).not.toBe(canonical)
  }
  expect(resolveScope({ ...base, session: new Map() }).canonical).toBeUndefined()
})

test('changing the object that the scope function gave changes nothing of the subscription', async () => {
  const eventContext = vi.fn(({ scope }) => ({ seen: scope }))
  const schema = schemaOf('changed: Json', {
    changed: fromChannel({ channel: 'c', share: 'user', resolve: (_data, _args, { seen }) => seen }),
  })
  const { subscribe, publish } = serve(schema, { eventContext })
  const viewer = { tenantId: 't', userId: 'alice', roles: ['reader'] }
  const stream = await subscribe('subscription { changed }', viewer)
  viewer.roles.push('admin')
  Object.assign(viewer, { tenantId: 'other', userId: 'bob' })

  await publish('c', 1, { tenantId: 'other' })
  await publish('c', 2, { userId: 'bob' })
  await publish('c', 3, { userId: 'alice' })
  expect(await take(stream)).toEqual({ data: { changed: { tenantId: 't', userId: 'alice', roles: ['reader'] } } })
  expect(eventContext).toHaveBeenCalledTimes(1)
})
