import type { GetEnvelopedFn } from '@envelop/core'
import {
  ambiguousOperation,
  hasNamesake,
  type HostedResult,
  type OperationHost,
  refusalOf,
  type TransportOperation,
  unknownOperation,
} from '@sluice/core'
import {
  type DocumentNode,
  type ExecutionArgs,
  getOperationAST,
  GraphQLError,
  type GraphQLSchema,
  OperationTypeNode,
} from 'graphql'

/** The options of {@link envelopHost}. */
export interface EnvelopHostOptions {
  /**
   * What `getEnveloped` is called with for each operation: the initial context, which plugins and `scope` see.
   * @default ({ req, connectionParams, transport, params }) => ({ req, connectionParams, transport, params })
   */
  readonly context?: ((operation: TransportOperation) => object | Promise<object>) | undefined
}

/**
 * Lets our transports run operations through an Envelop server: `attachWebSocket` of `@sluice/ws` and `createSseEndpoint` of
 * `@sluice/sse` take it as `host`. All hooks of all plugins run, as for any other operation of the server.
 *
 * @example
 * ```ts
 * const getEnveloped = envelop({ plugins: [useEngine(graphql), useSchema(schema), sluice] })
 * const host = envelopHost(getEnveloped)
 * attachWebSocket({ executor: sluice.executor, server, path: '/graphql', host })
 * const sse = createSseEndpoint({ executor: sluice.executor, host })
 * ```
 */
export function envelopHost(
  // What plugins add to the context is the application's business, whatever it is.
  getEnveloped: GetEnvelopedFn<never>,
  { context = initialContext }: EnvelopHostOptions = {},
): OperationHost {
  return {
    async runOperation(operation): Promise<HostedResult> {
      const { query, operationName, variables } = operation.params
      // A copy, since Envelop writes into it.
      const initial = { ...(await context(operation)) }
      const { parse, validate, contextFactory, execute, subscribe, schema } = getEnveloped(initial) as Enveloped
      const parsed = parsedBy(parse, query)
      if (parsed instanceof GraphQLError) return [parsed]
      const errors = validate(schema, parsed)
      if (errors.length > 0) return errors
      const asked = getOperationAST(parsed, operationName)
      if (!asked) return [unknownOperation()]
      if (hasNamesake(parsed, asked)) return [ambiguousOperation()]
      const refusal = refusalOf(operation, asked.operation)
      if (refusal !== undefined) return [refusal]
      const args = {
        schema,
        document: parsed,
        contextValue: await contextFactory(),
        variableValues: variables ?? null,
        operationName: operationName ?? null,
      }
      const run = asked.operation === OperationTypeNode.SUBSCRIPTION ? subscribe : execute
      return run(args)
    },
  }
}

/** What `getEnveloped` gives, whose own types are `any`. */
interface Enveloped {
  readonly parse: (query: string) => DocumentNode
  readonly validate: (schema: GraphQLSchema, document: DocumentNode) => readonly GraphQLError[]
  readonly contextFactory: () => unknown
  readonly execute: (args: ExecutionArgs) => HostedResult | Promise<HostedResult>
  readonly subscribe: (args: ExecutionArgs) => HostedResult | Promise<HostedResult>
  readonly schema: GraphQLSchema
}

function initialContext({ req, connectionParams, transport, params }: TransportOperation): object {
  return { req, connectionParams, transport, params }
}

/** The document, or the error that it is none. What a plugin throws otherwise is thrown. */
function parsedBy(parse: Enveloped['parse'], query: string): DocumentNode | GraphQLError {
  try {
    return parse(query)
  } catch (error) {
    if (error instanceof GraphQLError) return error
    throw error
  }
}
