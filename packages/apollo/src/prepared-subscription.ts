import {
  type ApolloServer,
  type BaseContext,
  type GraphQLRequestListener,
  type GraphQLResponse,
  HeaderMap,
} from '@apollo/server'
import { refusalOf, type TransportOperation } from '@sluice/core'
import { type DocumentNode, GraphQLError, type GraphQLSchema, OperationTypeNode } from 'graphql'

/** A subscription that Apollo Server has parsed and validated, and every plugin has agreed to. */
export interface PreparedSubscription {
  readonly schema: GraphQLSchema
  readonly document: DocumentNode
  /** With what plugins put there. */
  readonly contextValue: BaseContext
}

/** An operation of our transports on its way through Apollo Server's pipeline. */
interface Passage {
  readonly operation: TransportOperation
  subscription?: PreparedSubscription
}

/** The key under which the context of such an operation carries its passage: Apollo Server copies it with the context. */
const passageKey: unique symbol = Symbol('operation of a Sluice transport')

interface PassingContext extends BaseContext {
  [passageKey]?: Passage
}

/**
 * Runs an operation through the server's pipeline: persisted queries, parsing, validation, and the hooks of all plugins.
 * Queries and mutations come out executed. A subscription is taken out where its execution would begin, for Apollo Server
 * cannot execute one.
 *
 * @param contextValue is written into: a copy that nobody else has
 */
export async function passThrough<TContext extends BaseContext>(
  server: ApolloServer<TContext>,
  operation: TransportOperation,
  contextValue: TContext,
): Promise<PreparedSubscription | GraphQLResponse['body']> {
  const passage: Passage = { operation }
  const { query, operationName, variables, extensions } = operation.params
  const response = await server.executeOperation(
    {
      // A persisted query is one without a text.
      ...(query !== '' && { query }),
      ...(operationName != null && { operationName }),
      ...(variables != null && { variables }),
      ...(extensions != null && { extensions }),
    },
    { contextValue: Object.assign(contextValue, { [passageKey]: passage }) },
  )
  return passage.subscription ?? response.body
}

/** The hooks that take subscriptions out, and refuse those that came another way. */
export const takeSubscriptionsOut: GraphQLRequestListener<BaseContext> = {
  async didResolveOperation({ contextValue, operation }) {
    const passage = (contextValue as PassingContext)[passageKey]
    const type = operation?.operation
    const refusal = passage && type && refusalOf(passage.operation, type)
    if (refusal !== undefined) throw refusal
    if (passage === undefined && type === OperationTypeNode.SUBSCRIPTION) throw overHttp()
  },

  async responseForOperation({ contextValue, operation, schema, document }) {
    const context = contextValue as PassingContext
    const passage = context[passageKey]
    if (passage === undefined) return null
    delete context[passageKey]
    if (operation?.operation !== OperationTypeNode.SUBSCRIPTION) return null
    passage.subscription = { schema, document, contextValue }
    return { http: { headers: new HeaderMap() }, body: { kind: 'single', singleResult: { data: null } } }
  },
}

/** Apollo Server would call the field's resolver without an event, and without asking who it is for. */
function overHttp(): GraphQLError {
  return new GraphQLError('Subscriptions are served over WebSocket and server-sent events, not as a single response.', {
    extensions: { code: 'BAD_REQUEST', http: { status: 400 } },
  })
}
