import { ann, type User } from './users.ts'
import { channelFields, type LeakyData, type LeakyField, sourceField, unavailable } from './leaky-schema.ts'

/** What a client has to be told of a failure: what is not told at all is a subscription that hangs. */
export type Told =
  /** A result with errors for the failing event, and the next event as if nothing had been. */
  | 'in a result'
  /** The same, or an end with errors: what becomes of a result that cannot be written depends on who writes it. */
  | 'in a result or the end'
  /** It is refused with errors. */
  | 'in a refusal'
  /** Nothing: it would tell that there is a hidden event. */
  | 'nowhere'

/** A place where something fails with a secret. */
export interface Leak {
  /** What of. */
  readonly what: string
  readonly told: Told
  /** @default every field */
  readonly fields?: readonly LeakyField[]
  readonly isFiltered?: boolean
  readonly user?: User
  readonly channel?: string
  /** The field's arguments, beside `channel`. */
  readonly args?: string
  readonly variables?: string
  readonly variableValues?: Readonly<Record<string, unknown>>
  /** Of the item. */
  readonly selection?: string
  readonly fails?: LeakyData['fails']
  /** What is heard of it on the server. @default the secret */
  readonly heard?: string
}

const channelOnly = { fields: channelFields }
const sourceOnly = { fields: [sourceField] } as const

/** Whoever is called so makes the function of that name fail. */
export const unlucky = {
  scope: { ...ann, userId: 'scope' },
  scopeLater: { ...ann, userId: 'scopeLater' },
  context: { ...ann, userId: 'context' },
} as const satisfies Record<string, User>

/** It fails while the operation is validated. */
export const literal = 'the parseLiteral of a custom scalar'

/** Where a resolver of an event, or of a query, can fail. */
export const resolverLeaks: readonly Leak[] = [
  { what: 'a resolver that throws', told: 'in a result', selection: 'broken' },
  { what: 'a resolver that rejects', told: 'in a result', selection: 'brokenLater' },
  { what: 'a resolver of a non-null field', told: 'in a result', selection: 'required' },
  { what: 'several resolvers', told: 'in a result', selection: 'broken brokenLater again: broken' },
  { what: 'the serialize of a custom scalar', told: 'in a result', selection: 'unserializable' },
  { what: 'a toJSON in a result', told: 'in a result or the end', selection: 'unspeakable' },
  { what: 'a result that JSON cannot hold', told: 'in a result or the end', selection: 'huge', heard: 'BigInt' },
  { what: 'a toJSON beside an error', told: 'in a result or the end', selection: 'unspeakable broken' },
]

/** Where a subscription can fail. */
export const subscriptionLeaks: readonly Leak[] = [
  ...resolverLeaks,
  { what: 'the resolve of the field', told: 'in a result', args: 'at: "resolve"' },
  { what: 'the resolve of the field, which rejects', told: 'in a result', args: 'at: "resolve", later: true' },
  { what: 'eventContext', told: 'in a result', fails: 'context' },
  { what: 'eventContext, which rejects', told: 'in a result', fails: 'context, later' },
  { what: 'eventContext before a filter', told: 'nowhere', fails: 'context', isFiltered: true, ...channelOnly },
  { what: 'a filter', told: 'nowhere', args: 'at: "filter"', isFiltered: true, ...channelOnly },
  {
    what: 'a filter that rejects',
    told: 'nowhere',
    args: 'at: "filter", later: true',
    isFiltered: true,
    ...channelOnly,
  },
  { what: 'the subscribe resolver', told: 'in a refusal', args: 'at: "subscribe"' },
  { what: 'the subscribe resolver, which rejects', told: 'in a refusal', args: 'at: "subscribe", later: true' },
  { what: 'the function channel', told: 'in a refusal', args: 'at: "channel"', ...channelOnly },
  {
    what: 'the function channel, which rejects',
    told: 'in a refusal',
    args: 'at: "channel", later: true',
    ...channelOnly,
  },
  { what: 'the function match', told: 'in a refusal', args: 'at: "match"', ...channelOnly },
  { what: 'the function match, which rejects', told: 'in a refusal', args: 'at: "match", later: true', ...channelOnly },
  { what: 'the function share', told: 'in a refusal', args: 'at: "share"', fields: ['ofRole'] },
  { what: 'the bus', told: 'in a refusal', channel: unavailable, ...channelOnly },
  { what: 'the function scope', told: 'in a refusal', user: unlucky.scope },
  { what: 'the function scope, which rejects', told: 'in a refusal', user: unlucky.scopeLater },
  { what: 'the context function of the server', told: 'in a refusal', user: unlucky.context },
  { what: 'the source stream, midway', told: 'in a result or the end', args: 'at: "source"', ...sourceOnly },
  { what: 'the source stream, from the beginning', told: 'in a refusal', args: 'at: "iterator"', ...sourceOnly },
  { what: 'a source that is no stream', told: 'in a refusal', args: 'at: "no iterable"', ...sourceOnly },
  {
    what: 'the parseValue of a custom scalar',
    told: 'in a refusal',
    variables: '($guarded: Guarded)',
    variableValues: { guarded: 'x' },
    args: 'guarded: $guarded',
  },
  { what: literal, told: 'in a refusal', args: 'guarded: "x"' },
]

/** An operation with one result, without the word that says which kind it is. */
export interface SingleLeak {
  readonly what: string
  readonly operation: string
  readonly variableValues?: Readonly<Record<string, unknown>>
  readonly user?: User
  readonly heard?: string
}

/** Where a query or mutation can fail. */
export const singleLeaks: readonly SingleLeak[] = [
  ...resolverLeaks.flatMap(({ what, selection = '', heard }) => [
    { what, operation: `{ ${selection} }`, ...(heard !== undefined && { heard }) },
    {
      what: `${what}, below the root`,
      operation: `{ item { id ${selection} } }`,
      ...(heard !== undefined && { heard }),
    },
  ]),
  { what: 'the bus', operation: '{ publishing }' },
  {
    what: 'the parseValue of a custom scalar',
    operation: '($value: Guarded) { guarded(value: $value) }',
    variableValues: { value: 'x' },
  },
  { what: literal, operation: '{ guarded(value: "x") }' },
  { what: 'the context function of the server', operation: '{ item { id } }', user: unlucky.context },
]
