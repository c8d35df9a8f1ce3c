import type { GraphQLSchema } from 'graphql'
import { SluiceError } from '../errors.ts'
import { shareOf } from './from-channel.ts'

/**
 * Looks through the subscription fields as soon as the schema is known, so that a mistake shows when the server
 * starts and not when the first client subscribes.
 *
 * @throws SluiceError BAD_CONFIG if a field is shared more widely than its executor is prepared for.
 */
export function checkSchema(schema: GraphQLSchema, { eventContext }: { readonly eventContext?: unknown }): void {
  if (eventContext !== undefined) return
  for (const field of Object.values(schema.getSubscriptionType()?.getFields() ?? {})) {
    const share = shareOf(field.subscribe)
    if (share !== undefined && share !== 'subscriber') throw missingEventContext(`the field "${field.name}"`)
  }
}

export function missingEventContext(who: string): SluiceError {
  return new SluiceError(
    'BAD_CONFIG',
    `[createSubscriptionExecutor] the option "eventContext" is missing: ${who} has a "share" wider than 'subscriber', and is ` +
      "not executed with any subscriber's own context. Give the context that its resolvers need.",
  )
}
