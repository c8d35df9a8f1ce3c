import {
  type ExecutionArgs,
  execute,
  getOperationAST,
  GraphQLError,
  type GraphQLSchema,
  OperationTypeNode,
} from 'graphql'
import type { SubscriptionExecutor } from '../executor.ts'
import { checkDocument } from '../subscription/document-cache.ts'
import { internalErrorMasker } from '../delivery/internal-error-masker.ts'
import type { HostedResult, OperationHost, TransportOperation } from './operation-host.ts'

export interface SchemaHostOptions {
  readonly executor: SubscriptionExecutor
  /** The schema, or what gives it for each operation. */
  readonly schema: GraphQLSchema | (() => GraphQLSchema)
  /** The context of an operation; the executor's `scope` is asked with it. @default `{}` */
  readonly context?: ((operation: TransportOperation) => unknown) | undefined
  /**
   * Whether internal errors are told to clients as "Internal server error"; the executor's `onError` hears what they were.
   * @default true
   */
  readonly maskErrors?: boolean | undefined
  /** What subscribes. @default the executor */
  readonly subscribe?: SubscriptionExecutor['subscribe'] | undefined
}

/** A host where there is no GraphQL server: graphql-js parses, validates and executes, the executor subscribes. */
export function schemaHost({ executor, schema, context, maskErrors, subscribe }: SchemaHostOptions): OperationHost {
  return {
    ...(maskErrors === false ? undefined : { sanitizeResult: internalErrorMasker(executor) }),
    async runOperation(operation): Promise<HostedResult> {
      const { query, operationName, variables } = operation.params
      const current = typeof schema === 'function' ? schema() : schema
      const { document, errors } = checkDocument(current, query)
      if (errors !== undefined) return errors
      const asked = getOperationAST(document, operationName)
      if (!asked) return [unknownOperation()]
      const refusal = refusalOf(operation, asked.operation)
      if (refusal !== undefined) return [refusal]
      const contextValue = (await context?.(operation)) ?? {}
      const args: ExecutionArgs = {
        schema: current,
        document,
        contextValue,
        variableValues: variables ?? null,
        operationName: operationName ?? null,
      }
      if (asked.operation !== OperationTypeNode.SUBSCRIPTION) return execute(args)
      return subscribe === undefined ? executor.subscribe(args) : subscribe(args)
    },
  }
}

/** Why an operation of this type cannot be run as it came, or `undefined`. */
export function refusalOf({ isReadOnly }: TransportOperation, type: OperationTypeNode): GraphQLError | undefined {
  if (!isReadOnly || type !== OperationTypeNode.MUTATION) return undefined
  return new GraphQLError('A mutation cannot be sent with GET. Use POST.', { extensions: { code: 'BAD_REQUEST' } })
}

/** The refusal of a document that has no operation of that name, or several and no name was given. */
export function unknownOperation(): GraphQLError {
  return new GraphQLError('The document has no such operation, or several and none is named.', {
    extensions: { code: 'BAD_REQUEST' },
  })
}
