import fc from 'fast-check'
import type { GraphQLSchema } from 'graphql'
import { schemaOf } from '../../__tests__/service.ts'
import { SHARED } from '../../bus/channel-key.ts'
import { fromChannel } from '../../channel/from-channel.ts'
import type { EventContextInput } from '../../options.ts'
import type { Untyped } from '../../register.ts'
import type { Share } from '../../scope/partition.ts'

/** Names that become one another where they are joined, escaped, looked up in an object or cut at a NUL. */
const families: readonly (readonly [string, ...string[]])[] = [
  ['a', 'a:b', 'b:c', 'c'],
  [':', '::', 'a', '1:a'],
  ['__proto__', 'constructor', 'toString'],
  ['a', 'a\0', 'a\0b', '\0b'],
  ['"', '","', "'", '\\'],
  ['😀', '\u{1F600}\u{FE0F}', 'é', 'e\u0301'],
  ['shared', 'tenant', 'undefined', 'null'],
]
const scalars: readonly unknown[] = [
  'x',
  'x=x',
  '1',
  1,
  1.5,
  '1.5',
  true,
  'true',
  false,
  '',
  '😀',
  1e21,
  `1${'0'.repeat(21)}`,
]

export const shares: Readonly<Record<string, Share>> = {
  subscriber: 'subscriber',
  user: 'user',
  tenant: 'tenant',
  role: ({ role }) => String(role),
}

/** What a subscription asks for, in its variables or by its context. */
interface Asked {
  readonly tenancy: 'scoped' | 'shared'
  readonly channels: readonly string[]
  readonly types: readonly string[] | null
  readonly match: Readonly<Record<string, unknown>> | null
  readonly mod: number | null
}

export interface Subscribing {
  readonly kind: 'subscribe'
  readonly viewer: { readonly tenantId: string; readonly userId?: string; readonly role: string }
  readonly share: string
  readonly asked: Asked
  readonly via: 'variables' | 'context'
  readonly pushed: boolean
}

export interface Publishing {
  readonly kind: 'publish'
  readonly tenantId: string | typeof SHARED
  readonly channel: string
  readonly type: string
  readonly userId: string | undefined
  readonly values: readonly (readonly [string, unknown])[]
}

export type Action = Subscribing | Publishing | { readonly kind: 'leave'; readonly which: number }

const scalar = fc.constantFrom(...scalars)
const matchValue = fc.oneof(scalar, fc.constant(null), fc.array(fc.option(scalar), { maxLength: 4 }))
const path = fc.constantFrom('k', 'k', 'deep.k', '__proto__', 'constructor', 'deep.__proto__', 'k.k', '')

function subscribing(name: fc.Arbitrary<string>): fc.Arbitrary<Subscribing> {
  return fc.record({
    kind: fc.constant('subscribe' as const),
    viewer: fc.record({ tenantId: name, userId: name, role: name }, { requiredKeys: ['tenantId', 'role'] }),
    share: fc.constantFrom(...Object.keys(shares)),
    asked: fc.record({
      tenancy: fc.constantFrom('scoped' as const, 'scoped' as const, 'shared' as const),
      channels: fc.array(name, { minLength: 1, maxLength: 3 }),
      types: fc.option(fc.array(name, { minLength: 1, maxLength: 2 }), { freq: 2 }),
      match: fc.option(fc.array(fc.tuple(path, matchValue), { maxLength: 2 }).map(recordOf), { freq: 2 }),
      mod: fc.option(fc.constantFrom(1, 2), { freq: 2 }),
    }),
    via: fc.constantFrom('variables' as const, 'context' as const),
    pushed: fc.boolean(),
  })
}

function publishing(name: fc.Arbitrary<string>): fc.Arbitrary<Publishing> {
  const whole = fc.record({
    kind: fc.constant('publish' as const),
    tenantId: fc.oneof({ weight: 4, arbitrary: name }, { weight: 1, arbitrary: fc.constant(SHARED) }),
    channel: name,
    type: name,
    userId: fc.option(name, { nil: undefined, freq: 2 }),
    values: fc.array(fc.tuple(fc.constantFrom('k', '__proto__', 'constructor', ''), scalar), { maxLength: 3 }),
  })
  return whole.map((event) => (event.tenantId === SHARED ? { ...event, userId: undefined } : event))
}

const leaving = fc.record({ kind: fc.constant('leave' as const), which: fc.nat() })

/** The names of one run are few, so that subscriptions and events meet. */
export const actions: fc.Arbitrary<Action[]> = fc.constantFrom(...families).chain((family) => {
  const name = fc.constantFrom(...family)
  const action = fc.oneof(
    { weight: 4, arbitrary: subscribing(name) },
    { weight: 8, arbitrary: publishing(name) },
    { weight: 1, arbitrary: leaving },
  )
  return fc.array(action, { minLength: 40, maxLength: 100 })
})

function recordOf(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  return Object.fromEntries(entries)
}

/** The data of the n-th event. */
export function dataOf(n: number, { values }: Pick<Publishing, 'values'>): Record<string, unknown> {
  const found = recordOf(values)
  return { ...found, n, deep: found }
}

/** One field for each share; it gives the event's number and the context that it was executed with. */
export function modelSchema(): GraphQLSchema {
  const field = (share: Share) => ({
    subscribe: (...[root, args, context, info]: [Untyped, { asked?: Asked }, { asked?: Asked }, Untyped]) => {
      const { channels, types, tenancy, match, mod } = (args.asked ?? context.asked) as Asked
      const source = fromChannel({
        channel: channels,
        share,
        tenancy,
        match: (given: Untyped) => given.match,
        filter: passes,
        ...(types !== null && { types }),
      })
      return source.subscribe(root, { match, mod }, context, info)
    },
    resolve: ({ n }: Untyped, _args: Untyped, context: unknown) => ({ n, context }),
  })
  const names = Object.keys(shares)
  return schemaOf(
    names.map((name) => `${name}(asked: Json): Json`).join(' '),
    Object.fromEntries(Object.entries(shares).map(([name, share]) => [name, field(share)])),
  )
}

/** One and the same for all, or nothing would be shared. */
function passes({ n }: Untyped, { mod }: Untyped): boolean {
  return mod === null || n % mod === 0
}

export function modelContext({ scope, initialContext }: EventContextInput): unknown {
  return { scope, ...(initialContext && { viewer: initialContext.viewer }) }
}

/** What the subscription's result for an event is, or `undefined` if it must not get it: the naive way. */
export function expectedResult(subscription: Subscribing, event: Publishing, n: number): unknown {
  const { viewer, asked } = subscription
  const { tenancy, channels, types, match, mod } = asked
  if (event.tenantId !== (tenancy === 'shared' ? SHARED : viewer.tenantId)) return undefined
  if (!channels.includes(event.channel)) return undefined
  if (types !== null && !types.includes(event.type)) return undefined
  if (event.userId !== undefined && event.userId !== viewer.userId) return undefined
  if (mod !== null && n % mod !== 0) return undefined
  if (!Object.entries(match ?? {}).every(([path, wanted]) => matches(dataOf(n, event), path, wanted))) return undefined
  return { n, context: contextOf(subscription) }
}

function contextOf({ viewer, share }: Subscribing): unknown {
  const { tenantId, role } = viewer
  if (share === 'subscriber') return { scope: viewer, viewer }
  if (share === 'user') return { scope: viewer }
  return { scope: share === 'tenant' ? { tenantId } : { tenantId, partition: role } }
}

export function matches(data: unknown, path: string, wanted: unknown): boolean {
  if (wanted === null || wanted === undefined) return true
  let found = data
  for (const step of path.split('.')) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, step)) return false
    found = (found as Record<string, unknown>)[step]
  }
  const list: unknown[] = Array.isArray(wanted) ? wanted : [wanted]
  return list.some((item) => item !== null && item !== undefined && isSame(found, item))
}

function isSame(a: unknown, b: unknown): boolean {
  if (typeof a === 'boolean' || typeof b === 'boolean') return a === b
  const isComparable = [a, b].every((value) => ['string', 'number', 'bigint'].includes(typeof value))
  return isComparable && decimal(a) === decimal(b)
}

function decimal(value: unknown): string {
  return typeof value === 'number' && Math.abs(value) >= 1e21 ? String(BigInt(value)) : String(value)
}
