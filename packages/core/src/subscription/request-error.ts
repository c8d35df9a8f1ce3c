import { GraphQLError } from 'graphql'
import { SluiceError } from '../errors.ts'

/**
 * The error of a request, for a client: a SluiceError with its code and nothing behind it; a GraphQLError as it
 * is, since a host masks what it has to; of anything else only that there was one.
 */
export function toRequestError(error: unknown, otherwise = 'The subscription could not be started.'): GraphQLError {
  if (error instanceof SluiceError) return error.toGraphQLError()
  if (!(error instanceof GraphQLError)) {
    return new GraphQLError(otherwise, { extensions: { code: 'INTERNAL_SERVER_ERROR' } })
  }
  const sluiceError = error.originalError
  if (!(sluiceError instanceof SluiceError)) return error
  return new GraphQLError(sluiceError.message, {
    nodes: error.nodes ?? null,
    path: error.path ?? null,
    extensions: { code: sluiceError.code },
  })
}
