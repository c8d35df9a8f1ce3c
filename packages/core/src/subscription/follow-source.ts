import { type ExecutionArgs, type ExecutionResult, GraphQLError, type GraphQLFormattedError } from 'graphql'
import type { PublishedEvent } from '../bus/published-event.ts'
import type { ResultMasker } from '../delivery/encoded-response.ts'
import type { ResponseStream } from '../delivery/response-stream.ts'
import { prepareEventExecution } from '../graphql-version.ts'
import { isPromise } from '../maybe-promise.ts'
import { expired, expiryOf, hasCome } from '../scope/expiry.ts'
import { draining } from './draining.ts'
import { ownContext } from './event-context.ts'
import { type EventOperation, executeEvent } from './event-execution.ts'
import { SourceResponseStream } from './source-response-stream.ts'
import type { SubscribeOptions, Subscribing, SubscriptionServices } from './subscription-services.ts'

/**
 * A subscription whose source is any other async iterable: the server's own PubSub, a generator. It is executed
 * on its own, with a fresh copy of its own context for each event, and counts among the concurrent executions.
 *
 * @throws whatever the source's `[Symbol.asyncIterator]()` throws; SluiceError DRAINING.
 */
export function followSource(
  args: ExecutionArgs,
  source: AsyncIterable<unknown>,
  { scope, startedAt }: Subscribing,
  { maskResult, running }: SubscribeOptions,
  services: SubscriptionServices,
): ResponseStream {
  const { counters, options, report, scheduler, sources } = services
  const operation: EventOperation<PublishedEvent> = {
    contextFor: ownContext(options.eventContext, scope, { initialContext: args.contextValue }, report),
    filter: undefined,
    execute: prepareEventExecution(args, options.execute),
  }
  const expiry = expiryOf(scope)

  const respond = async (data: unknown): Promise<ExecutionResult> => {
    if (hasCome(expiry)) throw expired().toGraphQLError()
    counters.received += 1
    const response = await new Promise<ExecutionResult>((resolve, reject) => {
      const run = () => {
        const outcome = executeEvent({ data }, data, operation, services)
        if (!isPromise(outcome)) {
          resolve(outcome?.result as ExecutionResult)
          return undefined
        }
        return outcome.then((late) => resolve(late?.result as ExecutionResult), reject)
      }
      scheduler.schedule({ tenantId: scope.tenantId, run })
      scheduler.flush()
    })
    return maskResult === undefined || response.errors === undefined ? response : maskResult(response)
  }

  let hasStarted = false
  let hasDelivered = false
  const stream = new SourceResponseStream({
    schema: args.schema,
    source,
    execute: respond,
    onDelivered: () => {
      counters.delivered += 1
      if (!hasDelivered) counters.observer?.firstDelivered?.(performance.now() - startedAt)
      hasDelivered = true
    },
    report,
    toReader: (error) => (maskResult === undefined ? error : maskedError(error, maskResult)),
    leave: (reason) => {
      sources.delete(stream)
      running?.delete(stream)
      if (hasStarted) counters.endSubscription(scope.tenantId, 'source', reason)
    },
  })
  if (services.isDraining()) {
    void stream.return()
    throw draining()
  }
  counters.startSubscription(scope.tenantId, 'source')
  hasStarted = true
  sources.add(stream)
  running?.add(stream)
  return stream
}

/** What the application says in a GraphQLError goes through its host's masking; whoever pulls masks everything else. */
function maskedError(error: unknown, maskResult: ResultMasker): unknown {
  if (!(error instanceof GraphQLError)) return error
  const [masked] = maskResult({ errors: [error] }).errors ?? []
  if (masked === undefined || masked instanceof GraphQLError) return masked ?? error
  const { message, extensions } = masked as GraphQLFormattedError
  return new GraphQLError(message, { extensions: extensions ?? {} })
}
