import { type GraphQLFieldResolver, type GraphQLSchema, isObjectType } from 'graphql'

/**
 * Gives fields that have no resolver the server's `fieldResolver`. As soon as Apollo Server has executed a query with a
 * plugin that sees fields, all fields have resolvers of its own, which look for `fieldResolver` in a context that the
 * execution of an event does not have: it would be gone from subscriptions.
 */
export function setFieldResolver(schema: GraphQLSchema, fieldResolver: GraphQLFieldResolver<unknown, unknown>): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue
    for (const field of Object.values(type.getFields())) field.resolve ??= fieldResolver
  }
}
