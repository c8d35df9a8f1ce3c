import type { ExecutionArgs } from 'graphql'
import { SHARED } from '../bus/channel-key.ts'
import { copyPlain } from '../canonical.ts'
import { missingEventContext } from '../channel/check-schema.ts'
import type { ChannelSource, ChannelSourceDescription } from '../channel/channel-source.ts'
import { MemberStream } from '../delivery/member-stream.ts'
import type { ResponseStream } from '../delivery/response-stream.ts'
import { prepareEventExecution } from '../graphql-version.ts'
import type { DispatchedEvent } from '../routing/dispatched-event.ts'
import { lapseOf } from '../scope/expiry.ts'
import { type Partition, resolvePartition } from '../scope/partition.ts'
import { draining } from './draining.ts'
import { ownContext, sharedContext } from './event-context.ts'
import { type EventOperation, executeEvent } from './event-execution.ts'
import type { GroupExecution, GroupOptions } from './group.ts'
import { declaredValues, groupKey } from './group-key.ts'
import { Membership } from './membership.ts'
import type { SubscribeOptions, Subscribing, SubscriptionServices } from './subscription-services.ts'

/**
 * Makes a subscription whose source is a channel one of its group. Resolves when the bus has acknowledged the
 * channels; the subscription becomes a member in the same step.
 *
 * @throws SluiceError BAD_CONFIG, BUS_UNAVAILABLE, DRAINING
 */
export async function joinChannel(
  args: ExecutionArgs,
  { description }: ChannelSource,
  subscribing: Subscribing,
  { maskResult, running }: SubscribeOptions,
  services: SubscriptionServices,
): Promise<ResponseStream> {
  const { options, router } = services
  const { scope, startedAt } = subscribing
  const partition = resolvePartition(description.share, subscribing, description.args)
  if (description.share !== 'subscriber' && options.eventContext === undefined)
    throw missingEventContext(`the field "${description.fieldName}"`)
  const { key, unshared } = groupKey(args, description, partition)
  const tenantId = description.tenancy === 'shared' ? SHARED : scope.tenantId

  const lease = await router.acquire(description.channels.map((name) => ({ tenantId, name })))
  if (services.isDraining()) {
    lease.release()
    throw draining()
  }
  const membership = new Membership({ lease, running, tenantId: scope.tenantId, unshared }, services)
  const stream = new MemberStream({
    userId: scope.userId ?? undefined,
    subscribedAt: startedAt,
    lapse: lapseOf(scope),
    overflow: options.overflow,
    shared: key !== undefined,
    maskResult,
    services,
    membership,
  })
  membership.begin(stream, key, () => foundGroup(key, args, description, partition, services))
  return stream
}

/** What is kept of the founder is what all members have in common, and for a shared group no context of anybody. */
function foundGroup(
  key: string | undefined,
  args: ExecutionArgs,
  description: ChannelSourceDescription,
  partition: Partition,
  services: SubscriptionServices,
): GroupOptions {
  const { options } = services
  const isShared = partition.key !== undefined
  return {
    tenantId: partition.scope.tenantId,
    key,
    types: description.types,
    match: description.match,
    schema: args.schema,
    onGap: description.onGap ?? options.onGap,
    execute: groupExecution(
      key === undefined ? args : { ...args, variableValues: frozenCopy(declaredValues(args)) },
      key === undefined ? description : { ...description, args: frozenCopy<unknown>(description.args) },
      services,
      isShared
        ? sharedContextOf(description, partition, services)
        : ownContextOf(args, description, partition, services),
    ),
  }
}

/** What is compared to join a group stays what it was when the group was founded, whatever a resolver does to it. */
function frozenCopy<T>(value: T): T {
  return copyPlain(value, true) as T
}

type ContextFor = EventOperation<DispatchedEvent>['contextFor']

function sharedContextOf(
  { fieldName }: ChannelSourceDescription,
  partition: Partition,
  { options, report }: SubscriptionServices,
): ContextFor {
  const { eventContext } = options
  if (eventContext === undefined) throw missingEventContext(`the field "${fieldName}"`)
  return sharedContext(eventContext, partition, report)
}

function ownContextOf(
  args: ExecutionArgs,
  { share }: ChannelSourceDescription,
  partition: Partition,
  { options, report }: SubscriptionServices,
): ContextFor {
  // A wider share promises that no subscriber's context is used, also to one that happens to be alone.
  const own = share === 'subscriber' ? { initialContext: args.contextValue } : {}
  const build = ownContext(options.eventContext, partition.scope, own, report)
  return ({ event }) => build(event)
}

function groupExecution(
  args: ExecutionArgs,
  { filter, args: sourceArgs }: ChannelSourceDescription,
  services: SubscriptionServices,
  contextFor: ContextFor,
): GroupExecution {
  const operation: EventOperation<DispatchedEvent> = {
    contextFor,
    filter: filter && ((data, context) => filter(data, sourceArgs, context)),
    execute: prepareEventExecution(operationOnly(args), services.options.execute),
  }
  return (dispatched) => executeEvent(dispatched, dispatched.event.data, operation, services)
}

/** The arguments that are in the group's key, and no others. */
function operationOnly(args: ExecutionArgs): ExecutionArgs {
  const { schema, document, variableValues, operationName, fieldResolver, typeResolver } = args
  return {
    schema,
    document,
    variableValues: variableValues ?? null,
    operationName: operationName ?? null,
    fieldResolver: fieldResolver ?? null,
    typeResolver: typeResolver ?? null,
  }
}
