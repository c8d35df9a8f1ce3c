/**
 * What an application tells Sluice about its types, once, by declaration merging. Every member is optional:
 *
 * ```ts
 * declare module '@sluice/core' {
 *   interface Register {
 *     context: { db: Database; user: User }
 *     channels: { orders: Order; [order: `order:${string}`]: Order } // channel -> data
 *     types: { created: Order; shipped: Shipment } // event type -> data, on channels that are not registered
 *   }
 * }
 * ```
 *
 * `fromChannel`, `publish` and the option `scope` are typed by it from then on. The context is for schemas that
 * do not say theirs, by codegen's `contextType` or `createSchema<Context>`. What is not registered is untyped.
 */
// biome-ignore lint/suspicious/noEmptyInterface: it is filled by declaration merging
export interface Register {}

// Where an application registered nothing, its resolvers are typed as graphql-js types them.
// oxlint-disable-next-line typescript/no-explicit-any -- the one place where types are left open
export type Untyped = any

/** The context of the application's resolvers; untyped if none is registered. */
export type RegisteredContext<TDefault = Untyped> = Register extends { context: infer TContext } ? TContext : TDefault

/** The context that a schema's type says, or where it says `any` or nothing, the registered one. */
export type ContextOf<TContext> = unknown extends TContext ? RegisteredContext : TContext

type Channels = Register extends { channels: infer TMap } ? TMap : object
type Types = Register extends { types: infer TMap } ? TMap : object

/** What an event on this channel and of this type carries; of several channels or types, any of their data. */
export type EventDataOf<TChannel extends string, TType extends string> = TChannel extends keyof Channels
  ? Channels[TChannel]
  : TType extends keyof Types
    ? Types[TType]
    : Untyped
