import type { ExecutionResult } from 'graphql'

/**
 * A result whose errors say in JSON what the specification lets an error say. GraphQLErrors do; what a host put in their
 * place may be any Error, of which JSON would leave out the message and write down whatever a driver attached to it.
 *
 * @see https://spec.graphql.org/draft/#sec-Errors
 */
export function formatErrors(result: ExecutionResult): object {
  const { errors } = result
  return errors?.some(isUnformatted) === true ? { ...result, errors: errors.map(formatError) } : result
}

/** One error, for JSON. */
export function formatError(error: unknown): unknown {
  if (!isUnformatted(error)) return error
  const { message, locations, path, extensions } = error as Error & Readonly<Record<string, unknown>>
  return { message, locations, path, extensions }
}

function isUnformatted(error: unknown): error is Error {
  return error instanceof Error && !('toJSON' in error)
}
