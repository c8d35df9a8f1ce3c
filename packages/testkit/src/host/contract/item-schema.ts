import { type EventContextInput, fromChannel, type Scope } from '@sluice/core'
import { GraphQLError, type GraphQLSchema } from 'graphql'
import { executableSchema } from '../executable-schema.ts'
import type { HostContractContext } from '../host-factory.ts'

/** Part of the message of every internal error: no client may ever see it. */
export const SECRET = 'password=hunter2'

/** What an event carries in the suite. */
export interface ItemData {
  readonly id: string
  readonly kind?: string
  readonly text?: string
  /** Makes the step of that name fail, for the groups that it concerns. */
  readonly fail?: 'context of the tenant' | 'filter for a'
}

/** The context of an event's execution: what the partition has in common, and nothing of anybody. */
export interface ItemContext {
  readonly scope: EventContextInput['scope']
  readonly initialContext: HostContractContext | undefined
}

interface ItemArgs {
  readonly channel: string
  readonly kind?: string | null
}

interface FilteredArgs {
  readonly channel: string
  readonly only: string
}

const typeDefs = /* GraphQL */ `
  type Query {
    hello(name: String! = "world"): String!
    broken: String
  }
  type Mutation {
    publish(channel: String!, id: ID!, text: String, tenantId: String): Boolean!
  }
  type Subscription {
    ofSubscriber(channel: String!, kind: String, tenantId: String): Item
    ofUser(channel: String!, kind: String): Item
    ofTenant(channel: String!, kind: String, tenantId: String): Item
    ofRole(channel: String!, kind: String): Item
    ofAll(channel: String!, kind: String): Item
    filtered(channel: String!, only: String!): Item
    gated(channel: String!): Item
    refusing(channel: String!): Item
  }
  type Item {
    id: ID!
    kind: String
    text: String
    "Who the context of the execution is for, as JSON."
    viewer: String!
    "Always fails, with an internal error."
    broken: String
    "Always fails, with an error for the client."
    refused: String
  }
`

const match = ({ kind }: ItemArgs): { kind: string | null | undefined } => ({ kind })
const channel = ({ channel: name }: ItemArgs): string => name

/** The role decides, and nobody has more than one. */
export function roleOf({ roles }: Scope): string {
  return roles?.[0] ?? ''
}

/** What most tests of the suite run on: a subscription field of every share, on the channel that the client names. */
export function itemSchema({ gate = () => Promise.resolve() }: { gate?: () => Promise<void> } = {}): GraphQLSchema {
  const ofTenant = fromChannel({ channel, match, share: 'tenant' })
  return executableSchema(typeDefs, {
    Query: {
      hello: (_root, { name }) => `Hello ${String(name)}`,
      broken: () => {
        throw new Error(SECRET)
      },
    },
    Mutation: {
      publish: async (_root, args, { sluice }) => {
        const { channel, id, text, tenantId } = args as {
          channel: string
          id: string
          text?: string
          tenantId?: string
        }
        const event = { channel, type: 'item', data: { id, text } }
        await sluice.publish(tenantId === undefined ? event : Object.assign(event, { tenantId }))
        return true
      },
    },
    Subscription: {
      ofSubscriber: fromChannel({ channel, match }),
      ofUser: fromChannel({ channel, match, share: 'user' }),
      ofTenant,
      ofRole: fromChannel({ channel, match, share: roleOf }),
      ofAll: fromChannel({ channel, match, share: 'tenant', tenancy: 'shared' }),
      filtered: fromChannel({
        channel: ({ channel: name }: FilteredArgs) => name,
        share: 'tenant',
        filter: (data: ItemData, { only }: FilteredArgs) => {
          if (data.fail === 'filter for a' && only === 'a') throw new Error(SECRET)
          return data.kind === undefined || data.kind === only
        },
      }),
      gated: {
        ...ofTenant,
        subscribe: async (...args: Parameters<typeof ofTenant.subscribe>) => {
          await gate()
          return ofTenant.subscribe(...args)
        },
      },
      refusing: {
        subscribe: () => {
          throw new Error(SECRET)
        },
      },
    },
    Item: {
      viewer: (_item, _args, context) => JSON.stringify((context as unknown as ItemContext).scope),
      broken: () => {
        throw new Error(SECRET)
      },
      refused: () => {
        throw new GraphQLError('Not for you', { extensions: { code: 'REFUSED' } })
      },
    },
  })
}

/** The executor's option `eventContext` for {@link itemSchema}. */
export function itemContext({ scope, event, initialContext }: EventContextInput): ItemContext {
  if ((event.data as ItemData).fail === 'context of the tenant' && scope.userId === undefined) throw new Error(SECRET)
  return { scope, initialContext: initialContext as HostContractContext | undefined }
}
