import { expect, test } from 'vitest'
import { alice, schemaOf, serve, take } from '../../__tests__/service.ts'
import { fromChannel } from '../../channel/from-channel.ts'

test('a resolver that writes into its arguments fails, and changes nothing for later events and members', async () => {
  const schema = schemaOf('changed(where: Json): Json', {
    changed: fromChannel({
      channel: 'c',
      share: 'tenant',
      resolve: (data, { where }) => {
        if (data === 'write') where.owner = 'mallory'
        return where.owner
      },
    }),
  })
  const { subscribe, publish, executor } = serve(schema, { eventContext: () => ({}) })
  const query = 'subscription ($where: Json) { changed(where: $where) }'
  const request = () => ({ variables: { where: { owner: 'alice' } } })
  const first = await subscribe(query, alice, request())
  await publish('c', 'write')
  expect(await take(first)).toMatchObject({ data: { changed: null }, errors: [{ path: ['changed'] }] })
  const second = await subscribe(query, alice, request())
  await publish('c', 'read')
  expect(executor.metrics().groups.active).toBe(1)
  for (const stream of [first, second]) expect(await take(stream)).toEqual({ data: { changed: 'alice' } })
})

test.each([
  ['an array with a member of its own', () => Object.assign(['r'], { admin: true })],
  ['an array with a hole', () => Object.assign([], { length: 1 })],
  ['an object with a symbol', () => ({ a: 1, [Symbol('admin')]: true })],
  ['an object with a hidden member', () => Object.defineProperty({ a: 1 }, 'admin', { value: true })],
])('%s is compared with nothing, for it would look like another', async (_, odd) => {
  const schema = schemaOf('changed(where: Json): Json', { changed: fromChannel({ channel: 'c', share: 'tenant' }) })
  const { subscribe, executor } = serve(schema, { eventContext: () => ({}) })
  const query = 'subscription ($where: Json) { changed(where: $where) }'
  for (let count = 0; count < 2; count += 1) await subscribe(query, alice, { variables: { where: odd() } })
  expect(executor.metrics().groups).toEqual({ active: 2, unshared: { byReason: { variables: 2 } } })
})

test('minus zero is not zero', async () => {
  const schema = schemaOf('changed(x: Float): Json', {
    changed: fromChannel({ channel: 'c', share: 'tenant', resolve: (_data, { x }) => String(1 / x) }),
  })
  const { subscribe, publish } = serve(schema, { eventContext: () => ({}) })
  const query = 'subscription ($x: Float) { changed(x: $x) }'
  const plus = await subscribe(query, alice, { variables: { x: 0 } })
  const minus = await subscribe(query, alice, { variables: { x: -0 } })
  await publish('c', 1)
  expect(await take(plus)).toEqual({ data: { changed: 'Infinity' } })
  expect(await take(minus)).toEqual({ data: { changed: '-Infinity' } })
})
