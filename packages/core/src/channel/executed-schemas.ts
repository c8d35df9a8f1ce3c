import type { GraphQLSchema } from 'graphql'

const schemas = new WeakSet<GraphQLSchema>()

/** An executor serves this schema from now on. */
export function markExecutedBySluice(schema: GraphQLSchema): void {
  schemas.add(schema)
}

/** Whether an executor has ever served this schema: without one, a channel field cannot get events. */
export function isExecutedBySluice(schema: GraphQLSchema): boolean {
  return schemas.has(schema)
}
