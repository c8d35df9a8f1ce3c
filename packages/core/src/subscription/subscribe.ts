import { type ExecutionArgs, type ExecutionResult, getOperationAST, GraphQLError, OperationTypeNode } from 'graphql'
import { markExecutedBySluice } from '../channel/executed-schemas.ts'
import { ChannelSource } from '../channel/channel-source.ts'
import type { ResponseStream } from '../delivery/response-stream.ts'
import { SluiceError, type SluiceErrorCode } from '../errors.ts'
import { createSourceStream } from '../graphql-version.ts'
import type { ResolvedOptions } from '../options.ts'
import { askScope } from '../scope/ask-scope.ts'
import { resolveScope } from '../scope/resolve-scope.ts'
import type { ResolvedScope } from '../scope/scope.ts'
import { draining } from './draining.ts'
import { followSource } from './follow-source.ts'
import { joinChannel } from './join-channel.ts'
import { ambiguousOperation, hasNamesake } from './namesake.ts'
import { toRequestError } from './request-error.ts'
import type { SubscribeOptions, Subscribing, SubscriptionServices } from './subscription-services.ts'
import { tellReached } from './watch-subscribe.ts'

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
  const startedAt = performance.now()
  try {
    tellReached(args)
    if (services.isDraining()) throw draining()
    checkOperation(args)
    const resolved = await resolve(args, options, services)
    markExecutedBySluice(args.schema)
    const source = await createSourceStream(args)
    if (!(Symbol.asyncIterator in source)) {
      const errors = (source.errors ?? []).map((error) => toRequestError(error))
      services.counters.countRefusal(codeOf(errors[0]))
      return { ...source, errors }
    }
    const subscribing: Subscribing = { ...resolved, startedAt }
    if (source instanceof ChannelSource) return await joinChannel(args, source, subscribing, options, services)
    return followSource(args, source, subscribing, options, services)
  } catch (error) {
    return refusal(error, services)
  }
}

/** graphql-js words the other errors of an operation itself; of these it thinks as a programmer's mistakes. */
function checkOperation({ document, operationName, variableValues }: ExecutionArgs): void {
  if (
    variableValues !== undefined &&
    variableValues !== null &&
    (typeof variableValues !== 'object' || Array.isArray(variableValues))
  ) {
    throw new SluiceError('BAD_SUBSCRIPTION', 'The variables of an operation have to be an object.')
  }
  const operation = getOperationAST(document, operationName)
  if (operation && hasNamesake(document, operation)) throw ambiguousOperation()
  if (operation && operation.operation !== OperationTypeNode.SUBSCRIPTION) {
    const name = operation.name === undefined ? 'The operation' : `The operation "${operation.name.value}"`
    throw new GraphQLError(`${name} is a ${operation.operation}; only subscriptions can be subscribed to.`, {
      nodes: operation,
    })
  }
}

/** The scope that the caller has decided, or what the scope function says. */
async function resolve(
  args: ExecutionArgs,
  given: SubscribeOptions,
  services: SubscriptionServices,
): Promise<ResolvedScope> {
  const { counters, options } = services
  try {
    const resolved = 'scope' in given ? resolveScope(given.scope) : await askContext(args.contextValue, options)
    counters.passed += 1
    return resolved
  } catch (error) {
    counters.rejectedScope += 1
    throw error
  }
}

function askContext(context: unknown, { scope, subscribeTimeoutMs }: ResolvedOptions): Promise<ResolvedScope> {
  if (scope === undefined) {
    throw new SluiceError(
      'BAD_CONFIG',
      '[createSubscriptionExecutor] the option "scope" is missing: nobody can subscribe without it.',
    )
  }
  return askScope(() => scope(context), subscribeTimeoutMs)
}

/** A failure that is not the client's doing is told to whoever runs the server, with what caused it. */
function refusal(error: unknown, { counters, report }: SubscriptionServices): ExecutionResult {
  if (error instanceof SluiceError && error.cause === undefined && error.code !== 'BAD_CONFIG')
    counters.countError(error.code)
  else if (!(error instanceof GraphQLError)) report(error)
  const told = toRequestError(error)
  counters.countRefusal(error instanceof GraphQLError || error instanceof SluiceError ? codeOf(told) : 'UNKNOWN')
  return { errors: [told] }
}

/** What graphql-js refuses, and what a resolver of the application refuses, has no code of ours. */
function codeOf(error: GraphQLError | undefined): SluiceErrorCode {
  return (error && SluiceError.codeOf(error)) ?? 'BAD_SUBSCRIPTION'
}
