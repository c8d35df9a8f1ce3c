import { makeExecutableSchema } from '@graphql-tools/schema'
import { type EventBus, fromChannel, memoryBus, type Share, type SluiceContext } from '@sluice/core'
import { GraphQLScalarType, type GraphQLSchema } from 'graphql'
import { SECRET } from '../packages/testkit/src/host/contract/item-schema.ts'

/** What an event carries; `fails` marks the one that fails, in its resolvers or where it says. */
export interface LeakyData {
  readonly id: string
  readonly fails?: 'resolvers' | 'context' | 'context, later'
}

interface Args {
  readonly channel: string
  /** The step that fails. */
  readonly at?: string | null
  /** Whether it fails asynchronously. */
  readonly later?: boolean | null
}

/** The field of each share, and of a source that is no channel. Those of channels exist with a filter, too. */
export const channelFields = ['ofSubscriber', 'ofUser', 'ofTenant', 'ofRole', 'ofAll'] as const
export const sourceField = 'ofSource'
export type LeakyField = (typeof channelFields)[number] | typeof sourceField

const shares: Readonly<Record<(typeof channelFields)[number], Share<Args>>> = {
  ofSubscriber: 'subscriber',
  ofUser: 'user',
  ofTenant: 'tenant',
  ofRole: (_scope, { at }) => (at === 'share' ? fail() : 'a role'),
  ofAll: 'tenant',
}

const args = '(channel: String!, at: String, later: Boolean, guarded: Guarded)'
const channelFieldNames = channelFields.flatMap((name) => [name, withFilter(name)])

const fields = /* GraphQL */ `
    broken: String
    brokenLater: String
    required: String!
    unserializable: Unserializable
    unspeakable: Opaque
    huge: Opaque
`
const operations = /* GraphQL */ `
    item: Item!
    publishing: Boolean
    guarded(value: Guarded): Boolean
`
const typeDefs = /* GraphQL */ `
  "Fails when it is serialised."
  scalar Unserializable
  "Goes into the result as it is."
  scalar Opaque
  "Fails when it is parsed."
  scalar Guarded
  type Query { ${fields} ${operations} }
  type Mutation { ${fields} ${operations} }
  type Subscription { ${[...channelFieldNames, sourceField].map((name) => `${name}${args}: Item`).join(' ')} }
  type Item { id: ID! ${fields} }
`

/** What no client may see; many libraries' errors carry more than a message, and graphql-js copies `extensions`. */
export function internalError(): Error {
  return Object.assign(new Error(`connect ECONNREFUSED ${SECRET}`), {
    extensions: { connection: SECRET },
    connection: SECRET,
  })
}

function fail(): never {
  throw internalError()
}

async function failLater(): Promise<never> {
  await Promise.resolve()
  throw internalError()
}

export function withFilter(field: string): string {
  return `${field}Filtered`
}

/** The step, which fails if the client asked for it. */
function step<T>(name: string, { at, later }: Args, value: T): T | Promise<T> {
  if (at !== name) return value
  return later === true ? failLater() : fail()
}

function channelField(name: (typeof channelFields)[number], isFiltered: boolean) {
  const field = fromChannel({
    channel: (given: Args) => step('channel', given, given.channel),
    match: (given: Args) => step('match', given, {}),
    share: shares[name],
    tenancy: name === 'ofAll' ? 'shared' : 'scoped',
    resolve: (data: LeakyData, given: Args) => (data.fails === undefined ? data : step('resolve', given, data)),
    ...(isFiltered && {
      filter: (data: LeakyData, given: Args) => data.fails === undefined || step('filter', given, true),
    }),
  })
  return {
    ...field,
    subscribe: async (...[root, given, context, info]: Parameters<typeof field.subscribe>) => {
      await step('subscribe', given, undefined)
      return field.subscribe(root, given, context, info)
    },
  }
}

const events: readonly LeakyData[] = [{ id: '1', fails: 'resolvers' }, { id: '2' }]

/** As a server's own PubSub gives it; the channel's name says what it gives. */
async function* source({ at, channel }: Args): AsyncGenerator<LeakyData> {
  const [first, second] = events as [LeakyData, LeakyData]
  yield channel.startsWith('context') ? { id: '1', fails: channel as 'context' } : first
  if (at === 'source') throw internalError()
  yield second
}

function brokenIterable(): AsyncIterable<never> {
  return { [Symbol.asyncIterator]: fail }
}

/** Something in every place that fails with a secret in its message. */
export function leakySchema(): GraphQLSchema {
  // Of a subscription's item only that of the failing event fails; those of queries always do.
  const when =
    <T>(does: () => T) =>
    (item: LeakyData | undefined) =>
      item !== undefined && item.fails === undefined ? null : does()
  const resolvers = {
    broken: when(fail),
    brokenLater: when(failLater),
    required: (item: LeakyData | undefined) => (item !== undefined && item.fails === undefined ? 'there' : fail()),
    unserializable: when(() => 'anything'),
    unspeakable: when(() => ({ toJSON: fail })),
    huge: when(() => 1n),
  }
  const operation = {
    ...resolvers,
    item: () => ({ id: '1', fails: 'resolvers' }),
    guarded: () => true,
    publishing: async (_root: unknown, _args: unknown, { sluice }: SluiceContext) => {
      await sluice.publish({ channel: unavailable, type: 'item', data: {} })
      return true
    },
  }
  return makeExecutableSchema({
    typeDefs,
    resolvers: {
      Unserializable: new GraphQLScalarType({ name: 'Unserializable', serialize: fail }),
      Opaque: new GraphQLScalarType({ name: 'Opaque', serialize: (value) => value }),
      Guarded: new GraphQLScalarType({ name: 'Guarded', parseValue: fail, parseLiteral: fail }),
      Query: operation,
      Mutation: operation,
      Item: resolvers,
      Subscription: {
        ...Object.fromEntries(
          channelFields.flatMap((name) => [
            [name, channelField(name, false)],
            [withFilter(name), channelField(name, true)],
          ]),
        ),
        [sourceField]: {
          async subscribe(_root: unknown, given: Args) {
            await step('subscribe', given, undefined)
            if (given.at === 'iterator') return brokenIterable()
            if (given.at === 'no iterable') return { connection: SECRET }
            return source(given)
          },
          resolve: (data: LeakyData, given: Args) => (data.fails === undefined ? data : step('resolve', given, data)),
        },
      },
    },
  })
}

/** The channel of {@link leakyBus} that does not work. */
export const unavailable = 'unavailable'

/** A bus whose failures say too much. */
export function leakyBus(): EventBus {
  const bus = memoryBus()
  return {
    ...bus,
    publish: (event) => (event.channel.name === unavailable ? failLater() : bus.publish(event)),
    subscribe: (channel, options, listener) =>
      channel.name === unavailable ? failLater() : bus.subscribe(channel, options, listener),
  }
}
