import fc from 'fast-check'
import type { GraphQLSchema } from 'graphql'
import { schemaOf } from '../../__tests__/service.ts'
import { SHARED } from '../../bus/channel-key.ts'
import { fromChannel } from '../../channel/from-channel.ts'
import type { EventContextInput } from '../../options.ts'
import type { Untyped } from '../../register.ts'
import type { Share } from '../../scope/partition.ts'

/** Names that become one another where they are joined, escaped, looked up in an object or cut at a NUL. */
const awkward = ['a', 'a:b', 'b', 'b:c', 'c', ':', '1:a', '__proto__', 'constructor', 'toString', 'a\0', 'a\0b', '"', '","', "'", '\\', '😀']
const name = fc.constantFrom(...awkward)
const scalar = fc.constantFrom<unknown>('1', 1, 1.5, '1.5', true, 'true', false, '', 'a', '😀', 10 ** 21, '1000000000000000000000')
const path = fc.constantFrom('k', 'deep.k', '__proto__', 'constructor', 'deep.__proto__', 'k.k', '')

export const shares: Readonly<Record<string, Share>> = {
  subscriber: 'subscriber',
  user: 'user',
  tenant: 'tenant',
  role: ({ role }) => String(role),
}

export interface Subscribing {
  readonly kind: 'subscribe'
  readonly viewer: { readonly tenantId: string; readonly userId?: string; readonly role: string }
  readonly share: string
  readonly tenancy: 'scoped' | 'shared'
  readonly channels: readonly string[]
  readonly types: readonly string[] | null
  readonly match: Readonly<Record<string, unknown>> | null
  readonly mod: number | null
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

const subscribing: fc.Arbitrary<Subscribing> = fc.record({
  kind: fc.constant('subscribe' as const),
  viewer: fc.record({ tenantId: name, userId: name, role: name }, { requiredKeys: ['tenantId', 'role'] }),
  share: fc.constantFrom(...Object.keys(shares)),
  tenancy: fc.constantFrom('scoped' as const, 'scoped' as const, 'shared' as const),
  channels: fc.array(name, { minLength: 1, maxLength: 3 }),
  types: fc.option(fc.array(name, { minLength: 1, maxLength: 6 }), { freq: 1 }),
  match: fc.option(
    fc
      .array(fc.tuple(path, fc.oneof(scalar, fc.constant(null), fc.array(fc.option(scalar), { maxLength: 4 }))), { maxLength: 2 })
      .map(recordOf),
    { freq: 1 },
  ),
  mod: fc.option(fc.constantFrom(1, 2), { freq: 1 }),
  pushed: fc.boolean(),
})

const publishing: fc.Arbitrary<Publishing> = fc.record({
  kind: fc.constant('publish' as const),
  tenantId: fc.oneof({ weight: 4, arbitrary: name }, { weight: 1, arbitrary: fc.constant(SHARED) }),
  channel: name,
  type: name,
  userId: fc.option(name, { nil: undefined, freq: 3 }),
  values: fc.array(fc.tuple(fc.constantFrom('k', '__proto__', 'constructor', ''), scalar), { maxLength: 3 }),
})

const leaving = fc.record({ kind: fc.constant('leave' as const), which: fc.nat() })

/** The names are few per run, so that subscriptions and events meet. */
export const actions: fc.Arbitrary<Action[]> = fc
  .tuple(
    fc.array(fc.oneof({ weight: 4, arbitrary: subscribing }, { weight: 6, arbitrary: publishing }, { weight: 1, arbitrary: leaving }), {
      minLength: 20,
      maxLength: 60,
    }),
    fc.uniqueArray(name, { minLength: 2, maxLength: 3 }),
  )
  .map(([list, names]) => list.map((action) => narrow(action, (given) => names[awkward.indexOf(given) % names.length] as string)))

function narrow(action: Action, to: (name: string) => string): Action {
  if (action.kind === 'leave') return action
  if (action.kind === 'publish') {
    const tenantId = action.tenantId === SHARED ? SHARED : to(action.tenantId)
    const userId = tenantId === SHARED || action.userId === undefined ? undefined : to(action.userId)
    return { ...action, tenantId, userId, channel: to(action.channel) }
  }
  const { viewer } = action
  const user = viewer.userId === undefined ? undefined : { userId: to(viewer.userId) }
  return {
    ...action,
    viewer: { tenantId: to(viewer.tenantId), role: to(viewer.role), ...user },
    channels: action.channels.map(to),
  }
}

function recordOf(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  return Object.fromEntries(entries)
}

/** The data of the n-th event. */
export function dataOf(n: number, { values }: Publishing): Record<string, unknown> {
  const found = recordOf(values)
  return { ...found, n, deep: found }
}

/** One field for each share and tenancy; it gives the event's number and whose context it was executed with. */
export function modelSchema(): GraphQLSchema {
  const args = '(channels: [String!]!, types: [String!], match: Json, mod: Int): Json'
  const field = (share: Share, tenancy: 'scoped' | 'shared') => ({
    subscribe: (...all: Parameters<ReturnType<typeof fromChannel>['subscribe']>) => {
      const { channels, types } = all[1] as Subscribing
      return fromChannel({
        channel: channels,
        share,
        tenancy,
        match: ({ match }: Untyped) => match,
        filter: ({ n }, { mod }: Untyped) => mod === null || n % mod === 0,
        ...(types !== null && { types }),
      }).subscribe(...all)
    },
    resolve: ({ n }: Untyped, _args: Untyped, context: unknown) => ({ n, context }),
  })
  const fields = Object.entries(shares).flatMap(([name, share]) => [
    [`${name}_scoped`, field(share, 'scoped')] as const,
    [`${name}_shared`, field(share, 'shared')] as const,
  ])
  return schemaOf(fields.map(([name]) => `${name}${args}`).join(' '), Object.fromEntries(fields))
}

export function modelContext({ scope, initialContext }: EventContextInput): unknown {
  return { scope, ...(initialContext && { viewer: initialContext.viewer }) }
}

/** What the subscription's result for an event is, or `undefined` if it must not get it: the naive way. */
export function expectedResult(subscription: Subscribing, event: Publishing, n: number): unknown {
  const { viewer, tenancy, channels, types, match, mod } = subscription
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
