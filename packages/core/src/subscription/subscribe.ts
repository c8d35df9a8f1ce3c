import { type ExecutionArgs, type ExecutionResult, getOperationAST, GraphQLError } from 'graphql'
import { markExecutedBySluice } from '../channel/executed-schemas.ts'
import { ChannelSource } from '../channel/channel-source.ts'
import type { ResultMasker } from '../delivery/encoded-response.ts'
import type { ResponseStream } from '../delivery/response-stream.ts'
import { SluiceError } from '../errors.ts'
import { createSourceStream } from '../graphql-version.ts'
import { isPromise } from '../maybe-promise.ts'
import type { ResolvedOptions } from '../options.ts'
import type { Router } from '../routing/router.ts'
import { resolveScope } from '../scope/resolve-scope.ts'
import type { ResolvedScope } from '../scope/scope.ts'
import type { ExecutionServices } from './event-execution.ts'
import type { Groups } from './groups.ts'
import { followSource } from './follow-source.ts'
import { joinChannel } from './join-channel.ts'
import { toRequestError } from './request-error.ts'
import type { Scheduler } from './scheduler.ts'
import type { SubscriptionSet } from './subscription-set.ts'
import { withTimeLimit } from './time-limit.ts'

/** What a host adds to the arguments of a subscription. */
export interface SubscribeOptions {
  /**
   * The host's error masking. It is applied once per group and event, to results with errors, before anything
   * is delivered; pass the same function for all subscriptions of the host.
   */
  readonly maskResult?: ResultMasker | undefined
  /**
   * The scope, where the caller has decided it itself. Never anything that a client sent.
   * @default the executor's option `scope`, asked with the context
   */
  readonly scope?: unknown
  /** The subscription is in this set while it runs, so that a host can end its own and no others. */
  readonly running?: SubscriptionSet | undefined
}

/** What subscriptions are made of. */
export interface SubscriptionServices extends ExecutionServices {
  readonly options: ResolvedOptions
  readonly router: Router
  readonly groups: Groups
  readonly scheduler: Scheduler
  /** The subscriptions that are in no group. */
  readonly sources: SubscriptionSet
  readonly isDraining: () => boolean
}

/**
 * Subscribe: a response stream, or the errors of the request. It never rejects.
 *
 * @see https://spec.graphql.org/draft/#Subscribe()
 */
export async function subscribe(
  args: ExecutionArgs,
  options: SubscribeOptions,
  services: SubscriptionServices,
): Promise<ResponseStream | ExecutionResult> {
  try {
    if (services.isDraining()) throw new SluiceError('DRAINING', 'The server is shutting down. Subscribe again.')
    checkOperation(args)
    const resolved = await resolve(args, options, services)
    markExecutedBySluice(args.schema)
    const source = await createSourceStream(args)
    if (!(Symbol.asyncIterator in source)) return { ...source, errors: (source.errors ?? []).map(toRequestError) }
    if (source instanceof ChannelSource) return await joinChannel(args, source, resolved, options, services)
    return followSource(args, source, resolved, options, services)
  } catch (error) {
    return refusal(error, services)
  }
}

/** graphql-js words the other errors of an operation itself; of these it thinks as a programmer's mistakes. */
function checkOperation({ document, operationName, variableValues }: ExecutionArgs): void {
  if (variableValues !== undefined && variableValues !== null && (typeof variableValues !== 'object' || Array.isArray(variableValues))) {
    throw new SluiceError('BAD_SUBSCRIPTION', 'The variables of an operation have to be an object.')
  }
  const operation = getOperationAST(document, operationName)
  if (operation && operation.operation !== 'subscription') {
    const name = operation.name === undefined ? 'The operation' : `The operation "${operation.name.value}"`
    throw new GraphQLError(`${name} is a ${operation.operation}; only subscriptions can be subscribed to.`, { nodes: operation })
  }
}

/** Who is it? Whatever goes wrong in finding out, the answer is nobody. */
async function resolve(args: ExecutionArgs, given: SubscribeOptions, services: SubscriptionServices): Promise<ResolvedScope> {
  const { counters, options } = services
  counters.checks += 1
  try {
    const resolved = resolveScope('scope' in given ? given.scope : await askScope(args.contextValue, options))
    counters.passed += 1
    return resolved
  } catch (error) {
    counters.rejectedScope += 1
    throw error
  }
}

function askScope(context: unknown, { scope, subscribeTimeoutMs }: ResolvedOptions): unknown {
  if (scope === undefined) {
    throw new SluiceError('BAD_CONFIG', '[createSubscriptionExecutor] the option "scope" is missing: nobody can subscribe without it.')
  }
  try {
    const answer = scope(context)
    if (!isPromise(answer)) return answer
    return withTimeLimit<unknown>(answer, subscribeTimeoutMs, () => {
      throw new Error(`The scope function gave no answer within ${subscribeTimeoutMs} ms.`)
    }).then(undefined, refuseScope)
  } catch (cause) {
    return refuseScope(cause)
  }
}

function refuseScope(cause: unknown): never {
  throw new SluiceError('UNAUTHENTICATED', 'Subscriptions need an authenticated user of a tenant.', { cause })
}

/** A failure that is not the client's doing is told to whoever runs the server, with what caused it. */
function refusal(error: unknown, { counters, report }: SubscriptionServices): ExecutionResult {
  if (error instanceof SluiceError && error.cause === undefined && error.code !== 'BAD_CONFIG') counters.countError(error.code)
  else if (!(error instanceof GraphQLError)) report(error)
  return { errors: [toRequestError(error)] }
}
