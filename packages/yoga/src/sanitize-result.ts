import { type ExecutionResult, GraphQLError } from 'graphql'

/**
 * Takes away what Yoga keeps in extensions for itself, as Yoga does before it writes a result: `extensions.http`
 * of the result, `extensions.http` and `extensions.unexpected` of its errors.
 */
export function sanitizeResult(result: ExecutionResult): ExecutionResult {
  if (result.errors === undefined && result.extensions?.['http'] === undefined) return result
  const { errors, extensions, ...rest } = result
  const { http: _, ...others } = extensions ?? {}
  return {
    ...(errors === undefined ? undefined : { errors: errors.map(sanitizeError) }),
    ...rest,
    ...(Object.keys(others).length === 0 ? undefined : { extensions: others }),
  }
}

function sanitizeError(error: GraphQLError): GraphQLError {
  const { http, unexpected, ...extensions } = error.extensions ?? {}
  if (http === undefined && unexpected === undefined) return error
  const { nodes, source, positions, path } = error
  return new GraphQLError(error.message, {
    nodes: nodes ?? null,
    source: source ?? null,
    positions: positions ?? null,
    path: path ?? null,
    extensions,
  })
}
