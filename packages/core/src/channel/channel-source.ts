import type { CompiledMatch } from './match.ts'
import type { Share } from '../scope/partition.ts'
import { SluiceError } from '../errors.ts'
import type { MaybePromise } from '../maybe-promise.ts'
import type { Untyped } from '../register.ts'

/** What a subscriber is told when the history has a hole. */
export type GapPolicy = 'signal' | 'end'

/** Whether an event is for this group; asked once per group and event. */
export type EventDataFilter<TData, TArgs, TContext> = (
  data: TData,
  args: TArgs,
  context: TContext,
) => MaybePromise<boolean>

/** What a `fromChannel` field's `subscribe` resolver found out from its arguments. */
export interface ChannelSourceDescription {
  /** The subscription field, for messages. */
  readonly fieldName: string
  /** Names of channels; at least one, without repetition, sorted. */
  readonly channels: readonly string[]
  /** Sorted; `undefined` takes every type. */
  readonly types: readonly string[] | undefined
  readonly share: Share
  readonly match: CompiledMatch
  readonly filter: EventDataFilter<Untyped, Untyped, Untyped> | undefined
  readonly tenancy: 'scoped' | 'shared'
  readonly onGap: GapPolicy | undefined
  readonly args: Untyped
}

/**
 * The source stream of a `fromChannel` field: a description, which the executor turns into membership of a
 * group. It is an async iterable because the specification wants one; whoever iterates it has gone round the
 * executor, and with it round the scope, so it gives nothing.
 */
export class ChannelSource implements AsyncIterable<never> {
  readonly description: ChannelSourceDescription

  constructor(description: ChannelSourceDescription) {
    this.description = description
  }

  [Symbol.asyncIterator](): AsyncIterator<never> {
    const refuse = () =>
      Promise.reject(
        new SluiceError(
          'BAD_CONFIG',
          '[fromChannel] the operation was executed by something other than the Sluice executor. Install the plugin ' +
            'of your host after other engines, or use `executor.subscribe`.',
        ).toGraphQLError(),
      )
    return { next: refuse }
  }
}
