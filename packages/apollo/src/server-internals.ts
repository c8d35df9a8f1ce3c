import type { ApolloServer, ApolloServerPlugin } from '@apollo/server'
import type { GraphQLFieldResolver, GraphQLFormattedError } from 'graphql'

/** What Apollo Server was configured with and tells no plugin. */
export interface ServerInternals {
  readonly formatError?: ((formattedError: GraphQLFormattedError, error: unknown) => GraphQLFormattedError) | undefined
  readonly includeStacktraceInErrorResponses: boolean
  readonly rootValue?: unknown
  readonly fieldResolver?: GraphQLFieldResolver<unknown, unknown> | undefined
  /** In the order in which they are asked; a plugin that is added when the server starts is asked last. */
  readonly plugins?: ApolloServerPlugin[] | undefined
}

/**
 * The configuration of a server; `undefined` if this version keeps it elsewhere than the versions we know. Whoever asks
 * has to fail closed then.
 */
export function internalsOf(server: ApolloServer<never>): ServerInternals | undefined {
  const internals: unknown = Reflect.get(server, 'internals')
  return isInternals(internals) ? internals : undefined
}

function isInternals(internals: unknown): internals is ServerInternals {
  return (
    typeof internals === 'object' &&
    internals !== null &&
    'formatError' in internals &&
    'includeStacktraceInErrorResponses' in internals
  )
}
