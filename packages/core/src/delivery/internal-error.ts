import { type ExecutionResult, GraphQLError } from 'graphql'

/**
 * What a subscriber is told when something failed that is none of its business: no message of the failure is
 * in it, masked or not. The failure itself goes to `onError`.
 */
export function internalErrorResult(message = 'The event could not be executed.'): ExecutionResult {
  return { errors: [new GraphQLError(message, { extensions: { code: 'INTERNAL_SERVER_ERROR' } })], data: null }
}
