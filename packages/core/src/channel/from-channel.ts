import type { GraphQLResolveInfo } from 'graphql'
import { SluiceError } from '../errors.ts'
import type { MaybePromise } from '../maybe-promise.ts'
import type { ContextOf, EventDataOf, RegisteredContext, Untyped } from '../register.ts'
import type { Share } from '../scope/partition.ts'
import { ChannelSource, type EventDataFilter, type GapPolicy } from './channel-source.ts'
import { checkFromChannelOptions } from './check-from-channel-options.ts'
import { compileMatch, type Match } from './match.ts'
import { isExecutedBySluice } from './executed-schemas.ts'
import { checkName } from '../bus/check-name.ts'

/** How a subscription field takes its events. See {@link fromChannel}. */
export interface FromChannelOptions<
  TArgs = Untyped,
  TContext = Untyped,
  TResult = Untyped,
  TChannel extends string = string,
  TType extends string = string,
> {
  /**
   * The channel's name, or several, from the coerced arguments: 1 to 256 characters each. It is always the
   * channel of the subscriber's own tenant (unless `tenancy` is `'shared'`): names need no tenant in them.
   */
  readonly channel: Names<TChannel> | ((args: TArgs, context: ContextOf<TContext>) => MaybePromise<Names<TChannel>>)
  /** The types of events to take. @default every type */
  readonly types?: readonly TType[]
  /**
   * Who is executed together, and so gets the same bytes. Anything wider than `'subscriber'` needs the
   * executor's option `eventContext`: the subscribers' own contexts are not used.
   * @default 'subscriber'
   */
  readonly share?: Share<TArgs>
  /**
   * Equality, or one-of, on dotted paths into the data; indexed, so that an event costs the same however many
   * subscriptions wait for other values. `null` and `undefined` mean any: it is a filter, not a permission.
   */
  readonly match?: Match | ((args: TArgs, context: ContextOf<TContext>) => MaybePromise<Match | null | undefined>)
  /**
   * Anything that `match` cannot say. If it throws, rejects or hangs, the event is not delivered to that group
   * and `onError` hears of it: an error result would tell that there was a hidden event.
   */
  readonly filter?: EventDataFilter<EventDataOf<TChannel, TType>, TArgs, ContextOf<TContext>>
  /**
   * `'shared'`: one channel for all tenants, to which events are published with `tenantId: SHARED`.
   * @default 'scoped'
   */
  readonly tenancy?: 'scoped' | 'shared'
  /** What to do when events may be missing. @default the executor's `onGap` */
  readonly onGap?: GapPolicy
  /** The field's value for an event's data. @default the data */
  readonly resolve?: (
    data: EventDataOf<TChannel, TType>,
    args: TArgs,
    context: ContextOf<TContext>,
    info: GraphQLResolveInfo,
  ) => TResult | Promise<TResult>
}

type Names<TChannel extends string> = TChannel | readonly TChannel[]

/** What {@link fromChannel} gives: the two functions of an ordinary subscription field. */
export interface ChannelField<TArgs, TContext, TResult> {
  subscribe(root: Untyped, args: TArgs, context: TContext, info: GraphQLResolveInfo): Promise<AsyncIterable<Untyped>>
  resolve(data: Untyped, args: TArgs, context: TContext, info: GraphQLResolveInfo): TResult | Promise<TResult>
}

/**
 * A subscription field whose events come from a channel of the bus, executed once for all who may share it.
 *
 * @example
 * ```ts
 * Subscription: {
 *   orderChanged: fromChannel({ channel: ({ id }) => `order:${id}`, types: ['updated'], share: 'tenant' }),
 * }
 * ```
 *
 * The result is an ordinary field configuration for SDL resolvers, code-first builders and graphql-js. A
 * resolver may also do something first, such as a check of permissions, and return what `subscribe` returns.
 *
 * @throws SluiceError BAD_CONFIG for an option of a wrong type, naming it. When subscribed to without an
 * executor for the schema, the field answers BAD_CONFIG.
 */
export function fromChannel<
  TArgs = Untyped,
  TContext = RegisteredContext<unknown>,
  TResult = Untyped,
  TChannel extends string = string,
  TType extends string = string,
>(options: FromChannelOptions<TArgs, TContext, TResult, TChannel, TType>): ChannelField<TArgs, TContext, TResult> {
  checkFromChannelOptions(options)
  const { channel, match, resolve, filter, share = 'subscriber', tenancy = 'scoped' } = options
  const types = options.types && [...new Set<string>(options.types)].sort()
  const fixedMatch = typeof match === 'function' ? undefined : compileMatch(match)

  const subscribe = async (_root: Untyped, args: TArgs, context: TContext, info: GraphQLResolveInfo) => {
    if (!isExecutedBySluice(info.schema)) {
      throw new SluiceError(
        'BAD_CONFIG',
        `The field "${info.fieldName}" takes its events from Sluice, but no Sluice executor serves this schema. Add useSluice() ` +
          'to the plugins of your server, or execute subscriptions with `executor.subscribe`.',
      ).toGraphQLError()
    }
    const names = typeof channel === 'function' ? await channel(args, context) : channel
    return new ChannelSource({
      fieldName: info.fieldName,
      channels: checkChannels(names),
      types,
      share,
      match: fixedMatch ?? compileMatch(typeof match === 'function' ? await match(args, context) : match),
      filter,
      tenancy,
      onGap: options.onGap,
      args,
    })
  }
  const field: ChannelField<TArgs, TContext, TResult> = {
    subscribe,
    resolve: resolve ?? ((data: Untyped) => data as TResult),
  }
  shareBySubscribe.set(subscribe, share)
  return field
}

/** The share of a `fromChannel` field, found by its `subscribe` function; `undefined` for other functions. */
export function shareOf(subscribe: unknown): Share | undefined {
  return typeof subscribe === 'function' ? shareBySubscribe.get(subscribe) : undefined
}

const shareBySubscribe = new WeakMap<object, Share>()

function checkChannels(names: string | readonly string[]): readonly string[] {
  const list = typeof names === 'string' ? [names] : names
  if (!Array.isArray(list) || list.length === 0) {
    throw new SluiceError(
      'BAD_CONFIG',
      '[fromChannel] the option "channel" has to give a name or several; it gave none.',
    )
  }
  for (const name of list) checkName(name, 'BAD_SUBSCRIPTION', 'The channel')
  return [...new Set<string>(list)].sort()
}
