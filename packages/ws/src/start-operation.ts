import { checkDocument, SluiceError, type SubscriptionExecutor } from '@sluice/core'
import {
  type DocumentNode,
  type ExecutionArgs,
  execute,
  getOperationAST,
  GraphQLError,
  type GraphQLSchema,
  OperationTypeNode,
  parse,
  validate,
} from 'graphql'
import { areGraphQLErrors } from 'graphql-ws'
import type {
  OperationRequest,
  OperationSettings,
  SocketServerOptions,
  StartedOperation,
} from './operation-settings.ts'
import { scopedSubscribe } from './scoped-subscribe.ts'

type ExecutionArgsOrErrors = ExecutionArgs | readonly GraphQLError[]

/**
 * Starts operations as graphql-ws does, by its own options: `onSubscribe`, or `schema`, `parse` and `validate`;
 * then `roots`, `context`, and `subscribe` or `execute`. What differs: documents are remembered, and what the
 * client has given up meanwhile is not begun.
 */
export function startByOptions(
  executor: SubscriptionExecutor,
  options: SocketServerOptions,
): OperationSettings['start'] {
  const subscribe = scopedSubscribe(executor, options.subscribe)

  return async (request) => {
    const prepared = await prepare(request, options)
    if (request.ended) return undefined
    if (isErrors(prepared)) return { errors: prepared }

    const operation = getOperationAST(prepared.document, prepared.operationName)
    if (!operation) return { errors: [new GraphQLError('Unable to identify operation')] }

    const args = { ...prepared }
    if (!('rootValue' in args)) args.rootValue = options.roots?.[operation.operation]
    if (!('contextValue' in args)) args.contextValue = await contextOf(request, args, options)
    if (request.ended) return undefined

    const run = operation.operation === OperationTypeNode.SUBSCRIPTION ? subscribe : (options.execute ?? execute)
    return { args, result: await run(args) } satisfies StartedOperation
  }
}

async function prepare(request: OperationRequest, options: SocketServerOptions): Promise<ExecutionArgsOrErrors> {
  const { ctx, id, payload } = request
  const given = await options.onSubscribe?.(ctx, id, payload)
  if (given) {
    if (Array.isArray(given) && !areGraphQLErrors(given)) {
      throw new SluiceError(
        'BAD_CONFIG',
        '[ws] onSubscribe has to give execution arguments, or an array of GraphQLErrors.',
      )
    }
    return given as ExecutionArgsOrErrors
  }
  const { operationName, query, variables: variableValues } = payload
  if (!options.parse && !options.validate) {
    const schema = await schemaFor(request, options, () => parse(query))
    const { document, errors } = checkDocument(schema, query)
    return errors ?? { operationName, document, variableValues, schema }
  }
  const document = (options.parse ?? parse)(query)
  const schema = await schemaFor(request, options, () => document)
  const errors = (options.validate ?? validate)(schema, document)
  return errors.length > 0 ? errors : { operationName, document, variableValues, schema }
}

/** A function that gives the schema is shown the document. */
function schemaFor(
  { ctx, id, payload }: OperationRequest,
  { schema }: SocketServerOptions,
  document: () => DocumentNode,
): GraphQLSchema | Promise<GraphQLSchema> {
  if (!schema) {
    throw new SluiceError(
      'BAD_CONFIG',
      '[ws] the option "schema" is missing, and onSubscribe gave no execution arguments.',
    )
  }
  if (typeof schema !== 'function') return schema
  const { operationName, variables } = payload
  return schema(ctx, id, payload, { operationName, document: document(), variableValues: variables })
}

function contextOf(
  { ctx, id, payload }: OperationRequest,
  args: ExecutionArgs,
  { context }: SocketServerOptions,
): unknown {
  return typeof context === 'function' ? context(ctx, id, payload, args) : context
}

function isErrors(value: ExecutionArgsOrErrors): value is readonly GraphQLError[] {
  return Array.isArray(value)
}
