import { GraphQLError } from 'graphql'
import { SluiceError } from '../errors.ts'

/**
 * What a client may see of whatever was thrown at the server.
 *
 * A GraphQLError was meant for the client, unless it wraps another kind of error: then its message is that
 * error's. A SluiceError says its message and code. Everything else is an internal matter.
 */
export function toClientError(error: unknown): GraphQLError {
  if (error instanceof SluiceError) return error.toGraphQLError()
  if (isMeantForClient(error)) return error
  return new GraphQLError(INTERNAL_SERVER_ERROR, { extensions: { code: 'INTERNAL_SERVER_ERROR' } })
}

/** Whether there is nothing to report about it: the application itself made it as an answer to the client. */
export function isMeantForClient(error: unknown): error is GraphQLError {
  // Wrapped more than once: what a scalar throws of a variable is in the message of an error of an error.
  let cause = error
  while (cause instanceof GraphQLError && cause.originalError !== undefined) cause = cause.originalError
  return cause instanceof GraphQLError
}

/** The close reason, and the message of an error, that stand for everything internal. */
export const INTERNAL_SERVER_ERROR = 'Internal server error'
