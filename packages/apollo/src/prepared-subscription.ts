import {
  type ApolloServer,
  type BaseContext,
  type GraphQLRequest,
  type GraphQLRequestListener,
  type GraphQLResponse,
  HeaderMap,
} from '@apollo/server'
import { ambiguousOperation, hasNamesake, refusalOf, type TransportOperation } from '@sluice/core'
import { type DocumentNode, GraphQLError, type GraphQLSchema, OperationTypeNode } from 'graphql'

/** A subscription that Apollo Server has parsed and validated, and every plugin has agreed to. */
export interface PreparedSubscription {
  readonly schema: GraphQLSchema
  readonly document: DocumentNode
  /** With what plugins put there, as everything here is what they made of it. */
  readonly contextValue: BaseContext
  readonly operationName: string | undefined
  readonly variables: Readonly<Record<string, unknown>> | undefined
}

/** An operation of our transports on its way through Apollo Server's pipeline. */
interface Passage {
  readonly operation: TransportOperation
  subscription?: PreparedSubscription
}

/** The key under which the request of such an operation carries its passage: Apollo Server copies it with the request. */
const passageKey: unique symbol = Symbol('operation of a Sluice transport')

interface PassingRequest extends GraphQLRequest {
  readonly [passageKey]?: Passage
}

/**
 * Runs an operation through the server's pipeline: persisted queries, parsing, validation, and the hooks of all plugins.
 * Queries and mutations come out executed. A subscription is taken out where its execution would begin, for Apollo Server
 * cannot execute one.
 */
export async function passThrough<TContext extends BaseContext>(
  server: ApolloServer<TContext>,
  operation: TransportOperation,
  contextValue: TContext,
): Promise<PreparedSubscription | GraphQLResponse['body']> {
  const passage: Passage = { operation }
  const { query, operationName, variables, extensions } = operation.params
  const request: PassingRequest = {
    // A persisted query is one without a text.
    ...(query !== '' && { query }),
    ...(operationName != null && { operationName }),
    ...(variables != null && { variables }),
    ...(extensions != null && { extensions }),
    [passageKey]: passage,
  }
  const { body } = await server.executeOperation(request, { contextValue })
  const isRefused = body.kind === 'single' && body.singleResult.errors !== undefined
  return passage.subscription === undefined || isRefused ? body : passage.subscription
}

/** Refuses what cannot be executed as it came. */
export const refuseOthers: GraphQLRequestListener<BaseContext> = {
  async didResolveOperation({ document, operation, request }) {
    if (operation === undefined) return
    if (hasNamesake(document, operation)) throw ambiguousOperation()
    const passage = (request as PassingRequest)[passageKey]
    const refusal = passage && refusalOf(passage.operation, operation.operation)
    if (refusal !== undefined) throw refusal
    if (passage === undefined && operation.operation === OperationTypeNode.SUBSCRIPTION) throw overHttp()
  },
}

/** Takes subscriptions out, when every other plugin has had its say. */
export const takeSubscriptionsOut: GraphQLRequestListener<BaseContext> = {
  async responseForOperation({ contextValue, document, operation, request, schema }) {
    if (operation?.operation !== OperationTypeNode.SUBSCRIPTION) return null
    const passage = (request as PassingRequest)[passageKey]
    if (passage === undefined) throw overHttp()
    const { operationName, variables } = request
    passage.subscription = { schema, document, contextValue, operationName, variables }
    return { http: { headers: new HeaderMap() }, body: { kind: 'single', singleResult: { data: null } } }
  },
}

/** Apollo Server would call the field's resolver without an event, and without asking who it is for. */
function overHttp(): GraphQLError {
  return new GraphQLError('Subscriptions are served over WebSocket and server-sent events, not as a single response.', {
    extensions: { code: 'BAD_REQUEST', http: { status: 400 } },
  })
}
