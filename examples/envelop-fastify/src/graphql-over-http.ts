import type { IncomingMessage } from 'node:http'
import type { GetEnvelopedFn } from '@envelop/core'
import type { OperationParams } from '@sluice/core'
import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  getOperationAST,
  GraphQLError,
  type GraphQLSchema,
  OperationTypeNode,
} from 'graphql'
import type { SensorsContext } from './schema.ts'

/** The JSON schema of a request's body, with which Fastify checks it. */
export const bodySchema = {
  type: 'object',
  required: ['query'],
  properties: {
    query: { type: 'string' },
    operationName: { type: ['string', 'null'] },
    variables: { type: ['object', 'null'] },
  },
} as const

/** What Envelop gives for a request, whose own types are `any`. */
interface Enveloped {
  readonly parse: (query: string) => DocumentNode
  readonly validate: (schema: GraphQLSchema, document: DocumentNode) => readonly GraphQLError[]
  readonly contextFactory: () => unknown
  readonly execute: (args: ExecutionArgs) => Promise<ExecutionResult>
  readonly schema: GraphQLSchema
}

/** Runs a query or a mutation through Envelop. */
export async function runOverHttp(
  getEnveloped: GetEnvelopedFn<SensorsContext>,
  req: IncomingMessage,
  { query, operationName, variables }: OperationParams,
): Promise<ExecutionResult> {
  const { parse, validate, contextFactory, execute, schema } = getEnveloped({ req }) as Enveloped
  let document: DocumentNode
  try {
    document = parse(query)
  } catch (error) {
    if (error instanceof GraphQLError) return { errors: [error] }
    throw error
  }
  const errors = validate(schema, document)
  if (errors.length > 0) return { errors }
  // Executed like a query it would have no event, and nobody would be asked who it is for.
  if (getOperationAST(document, operationName)?.operation === OperationTypeNode.SUBSCRIPTION) {
    return { errors: [new GraphQLError('Subscriptions are served over WebSocket and server-sent events.')] }
  }
  return await execute({
    schema,
    document,
    contextValue: await contextFactory(),
    variableValues: variables ?? null,
    operationName: operationName ?? null,
  })
}
