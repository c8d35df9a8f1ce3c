import { ApolloServerErrorCode } from '@apollo/server/errors'
import type { ResultMasker } from '@sluice/core'
import { type GraphQLError, type GraphQLFormattedError, Kind } from 'graphql'
import type { ServerInternals } from './server-internals.ts'

/**
 * Apollo Server's way of writing errors, for the results of subscriptions: a code, a stack trace if the server shows
 * them, and then the server's `formatError`, which may rewrite or mask them. Applied once per group and event.
 *
 * @see https://www.apollographql.com/docs/apollo-server/data/errors#for-client-responses
 */
export function errorFormatter({ formatError, includeStacktraceInErrorResponses }: ServerInternals): ResultMasker {
  const enrich = (error: GraphQLError): GraphQLFormattedError => {
    const { http: _, ...extensions } = error.extensions
    return {
      ...error.toJSON(),
      extensions: {
        ...extensions,
        code: extensions['code'] ?? (isBadUserInput(error) ? BAD_USER_INPUT : INTERNAL_SERVER_ERROR),
        ...(includeStacktraceInErrorResponses && { stacktrace: error.stack?.split('\n') }),
      },
    }
  }
  const format = (error: GraphQLError): GraphQLFormattedError => {
    const enriched = enrich(error)
    if (formatError === undefined) return enriched
    try {
      const formatted = formatError(enriched, error)
      // A copy, since what a group shares is frozen, and the application may give a constant.
      return formatted instanceof Error ? formatted : { ...formatted }
    } catch {
      // As Apollo Server says it: what should have hidden something has failed.
      return { message: 'Internal server error', extensions: { code: INTERNAL_SERVER_ERROR } }
    }
  }
  return (result) => {
    if (result.errors === undefined) return result
    // What is formatted is sent as it is: it need not be an instance of GraphQLError any more.
    return { ...result, errors: result.errors.map(format) as unknown as readonly GraphQLError[] }
  }
}

const { BAD_USER_INPUT, INTERNAL_SERVER_ERROR } = ApolloServerErrorCode

/** graphql-js gives no code to a variable that cannot be coerced; Apollo Server says that it was the client. */
function isBadUserInput({ nodes, path }: GraphQLError): boolean {
  return path === undefined && nodes?.length === 1 && nodes[0]?.kind === Kind.VARIABLE_DEFINITION
}
