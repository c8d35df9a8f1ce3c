import type { ApolloServer, BaseContext } from '@apollo/server'
import {
  copyContext,
  type HostedResult,
  internalErrorMasker,
  isMeantForClient,
  type OperationHost,
  type ResultMasker,
  schemaHost,
  type SluiceContext,
  type SubscriptionExecutor,
  type SubscriptionSet,
  toClientError,
  type TransportOperation,
} from '@sluice/core'
import type { DocumentNode, ExecutionResult, GraphQLError, GraphQLSchema } from 'graphql'
import { errorFormatter } from './format-errors.ts'
import type { ContextInput } from './plugin-options.ts'
import { passThrough, type PreparedSubscription } from './prepared-subscription.ts'
import { internalsOf, type ServerInternals } from './server-internals.ts'

interface OperationHostOptions<TContext extends BaseContext> {
  readonly executor: SubscriptionExecutor
  readonly running: SubscriptionSet
  readonly context: (input: ContextInput) => TContext | Promise<TContext>
  readonly schema: () => GraphQLSchema
  readonly server: (() => ApolloServer<TContext>) | undefined
}

/** How the operations of our transports are run: by Apollo Server, or by graphql-js where it was not handed over. */
export function operationHost<TContext extends BaseContext>(options: OperationHostOptions<TContext>): OperationHost {
  const { executor, running, context, schema, server } = options
  /** A copy, since the application may give every operation the same object. */
  const contextOf = async ({ req, connectionParams, transport }: TransportOperation): Promise<TContext> => {
    const given = await context({ req, connectionParams, transport })
    return copyContext(given)
  }

  if (server === undefined) {
    const mask = internalErrorMasker(executor)
    return schemaHost({
      executor,
      schema,
      async context(operation) {
        const contextValue = await contextOf(operation)
        return Object.assign(contextValue, { sluice: executor.publisherFor(contextValue) } satisfies SluiceContext)
      },
      subscribe: (args) => executor.subscribe(args, { running, maskResult: mask }),
    })
  }

  let served: { readonly internals: ServerInternals | undefined; readonly maskResult: ResultMasker } | undefined
  const serving = (): NonNullable<typeof served> => {
    const internals = internalsOf(server() as unknown as ApolloServer<never>)
    served ??= { internals, maskResult: internals ? errorFormatter(internals) : internalErrorMasker(executor) }
    return served
  }
  const subscribe = async (prepared: PreparedSubscription): Promise<HostedResult> => {
    const { internals, maskResult } = serving()
    const { schema, document, contextValue, operationName, variables } = prepared
    const args = {
      schema,
      document,
      contextValue,
      variableValues: variables ?? null,
      operationName: operationName ?? null,
      fieldResolver: internals?.fieldResolver ?? null,
      rootValue: rootValueOf(internals?.rootValue, document),
    }
    const result = await executor.subscribe(args, { running, maskResult })
    return Symbol.asyncIterator in result ? result : (maskResult(result).errors ?? [])
  }

  return {
    async runOperation(operation) {
      schema() // an operation would start a server that has not been started
      let contextValue: TContext
      try {
        contextValue = await contextOf(operation)
      } catch (error) {
        if (!isMeantForClient(error)) executor.reportError(error)
        return serving().maskResult({ errors: [toClientError(error)] }).errors ?? []
      }
      const outcome = await passThrough(server(), operation, contextValue)
      if (!('kind' in outcome)) return subscribe(outcome)
      if (outcome.kind === 'incremental') return incrementalResults(outcome)
      const { singleResult } = outcome
      // Errors without data are those of a request that was not executed. They have been formatted.
      return singleResult.data === undefined && singleResult.errors !== undefined
        ? (singleResult.errors as unknown as readonly GraphQLError[])
        : (singleResult as unknown as ExecutionResult)
    },
  }
}

async function* incrementalResults(body: {
  readonly initialResult: object
  readonly subsequentResults: AsyncIterable<object>
}): AsyncGenerator<ExecutionResult> {
  yield body.initialResult
  for await (const result of body.subsequentResults) yield result
}

/** Apollo Server takes a root value, or a function that gives one for a document. */
function rootValueOf(given: unknown, document: DocumentNode): unknown {
  return typeof given === 'function' ? (given as (document: DocumentNode) => unknown)(document) : given
}
