import * as graphql from 'graphql'
import type { ExecutionArgs, ExecutionResult, GraphQLError } from 'graphql'
import type { MaybePromise } from './maybe-promise.ts'

/**
 * All that differs between graphql 16 and 17. In 17 a subscription's arguments are validated once, and the
 * result of that is what source streams are created from and events are executed with.
 */

type ValidatedArgs = { readonly operation: object }

interface GraphQL16 {
  createSourceEventStream(args: ExecutionArgs): Promise<SourceStreamOrErrors>
}

interface GraphQL17 {
  validateSubscriptionArgs(args: ExecutionArgs): ValidatedArgs | readonly GraphQLError[]
  createSourceEventStream(args: ValidatedArgs): MaybePromise<SourceStreamOrErrors>
  executeSubscriptionEvent(args: ValidatedArgs): MaybePromise<ExecutionResult>
}

/** What CreateSourceEventStream gives: the very object that the field's `subscribe` gave, or the request's errors. */
export type SourceStreamOrErrors = AsyncIterable<unknown> | ExecutionResult

// Types know one version, the one that is installed; these are what is used of each.
const graphql16 = graphql as unknown as GraphQL16
const graphql17 = 'validateSubscriptionArgs' in graphql ? (graphql as unknown as GraphQL17) : undefined

/**
 * CreateSourceEventStream. The operation has to be a subscription. Rejects for what graphql-js takes to be a
 * failure of the system, such as a `subscribe` that gives no async iterable.
 *
 * @see https://spec.graphql.org/draft/#CreateSourceEventStream()
 */
export async function createSourceStream(args: ExecutionArgs): Promise<SourceStreamOrErrors> {
  if (graphql17 === undefined) return createSourceStream16(args)
  const validated = graphql17.validateSubscriptionArgs(args)
  if (isErrors(validated)) return { errors: validated }
  const source = await graphql17.createSourceEventStream(validated)
  const error = 'errors' in source ? source.errors?.[0] : undefined
  if (error?.path === undefined && selectsNothing(error?.originalError)) throw noField()
  // 17 shows the client what it got from `subscribe`; in 16 it is a failure of the system, and nobody's business.
  if (error?.originalError?.message.startsWith(notIterable)) throw new Error(error.message)
  return source
}

async function createSourceStream16(args: ExecutionArgs): Promise<SourceStreamOrErrors> {
  try {
    return await graphql16.createSourceEventStream(args)
  } catch (error) {
    throw selectsNothing(error) ? noField() : error
  }
}

const notIterable = 'Subscription field must return Async Iterable.'

/** graphql-js takes the first field apart without looking whether `@skip` and `@include` left one. */
function selectsNothing(error: unknown): boolean {
  return error instanceof TypeError && error.message.includes('is not iterable')
}

function noField(): GraphQLError {
  return new graphql.GraphQLError('The operation selects no field.')
}

/** Executes the operation for one event. */
export type EventExecution = (data: unknown, contextValue: unknown) => MaybePromise<ExecutionResult>

/**
 * ExecuteSubscriptionEvent, with everything that is the same for all events done beforehand. The context of
 * the arguments is not kept.
 *
 * @see https://spec.graphql.org/draft/#ExecuteSubscriptionEvent()
 */
export function prepareEventExecution(
  args: ExecutionArgs,
  customExecute: ((args: ExecutionArgs) => MaybePromise<ExecutionResult>) | undefined,
): EventExecution {
  const { contextValue: _, ...withoutContext } = args
  if (graphql17 !== undefined && customExecute === undefined) {
    const { executeSubscriptionEvent, validateSubscriptionArgs } = graphql17
    const validated = validateSubscriptionArgs(withoutContext)
    if (!isErrors(validated)) {
      return (rootValue, contextValue) =>
        executeSubscriptionEvent({ ...validated, rootValue, contextValue } as ValidatedArgs)
    }
  }
  return executionWith(customExecute ?? graphql.execute, withoutContext)
}

function executionWith(
  execute: (args: ExecutionArgs) => MaybePromise<ExecutionResult>,
  args: ExecutionArgs,
): EventExecution {
  const { schema, document, variableValues, operationName, fieldResolver, typeResolver, rootValue: _, ...others } = args
  if (Object.keys(others).length > 0) return (rootValue, contextValue) => execute({ ...args, rootValue, contextValue })
  // Named one by one, which costs nothing: copying them took as long as executing a small operation, 1.6 µs.
  return (rootValue, contextValue) =>
    execute({
      schema,
      document,
      rootValue,
      contextValue,
      variableValues: variableValues ?? null,
      operationName: operationName ?? null,
      fieldResolver: fieldResolver ?? null,
      typeResolver: typeResolver ?? null,
    })
}

function isErrors(value: ValidatedArgs | readonly GraphQLError[]): value is readonly GraphQLError[] {
  return Array.isArray(value)
}
