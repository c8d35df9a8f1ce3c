import { type DocumentNode, GraphQLError, Kind, type OperationDefinitionNode } from 'graphql'

/**
 * Whether another operation of the document has the same name. Validation forbids it; where it was left out, the one that is
 * looked at would be another than the one that is executed.
 *
 * @see https://spec.graphql.org/draft/#sec-Operation-Name-Uniqueness
 */
export function hasNamesake({ definitions }: DocumentNode, operation: OperationDefinitionNode): boolean {
  return definitions.some(
    (other) =>
      other.kind === Kind.OPERATION_DEFINITION && other !== operation && other.name?.value === operation.name?.value,
  )
}

/** What refuses it. */
export function ambiguousOperation(): GraphQLError {
  return new GraphQLError('The document has several operations of that name.', { extensions: { code: 'BAD_REQUEST' } })
}
