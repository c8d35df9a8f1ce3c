/**
 * What an application tells Sluice about its types, once, by declaration merging. Every member is optional:
 *
 * ```ts
 * declare module '@sluice/core' {
 *   interface Register {
 *     context: { request: Request; db: Database }
 *     types: { created: Order; updated: Order }           // event type -> data
 *     channels: { orders: Order; [name: `order:${string}`]: Order } // channel -> data
 *   }
 * }
 * ```
 *
 * `fromChannel` and `publish` are typed by it from then on. A channel that is registered goes before the type.
 */
// biome-ignore lint/suspicious/noEmptyInterface: it is filled by declaration merging
export interface Register {}

// Where an application registered nothing, its resolvers are typed as graphql-js types them.
// oxlint-disable-next-line typescript/no-explicit-any -- the one place where types are left open
export type Untyped = any

/** The context of the application's resolvers. */
export type RegisteredContext = Register extends { context: infer TContext } ? TContext : Untyped

/** The channels that carry registered data, or any string. */
type Registered<TName extends 'channels' | 'types'> = Register extends { [K in TName]: infer TMap } ? TMap : never

type Lookup<TMap, TKey> = [TMap] extends [never]
  ? never
  : { [K in keyof TMap]: TKey extends K ? TMap[K] : never }[keyof TMap]

/** What an event on this channel and of this type carries; whatever is not registered is untyped. */
export type EventDataOf<TChannel extends string, TType extends string> = [Lookup<Registered<'channels'>, TChannel>] extends [never]
  ? [Lookup<Registered<'types'>, TType>] extends [never]
    ? Untyped
    : Lookup<Registered<'types'>, TType>
  : Lookup<Registered<'channels'>, TChannel>
