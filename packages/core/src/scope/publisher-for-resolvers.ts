import { SluiceError, type SluiceErrorCode } from '../errors.ts'
import type { ScopedPublisher } from './publisher.ts'

/** What a client did, or is; the other codes are the server's own business, which hosts mask. */
const clientCodes: ReadonlySet<SluiceErrorCode> = new Set<SluiceErrorCode>(['UNAUTHENTICATED', 'EXPIRED', 'FORBIDDEN'])

/**
 * A publisher for resolvers: what it refuses because of who asks, it refuses with a GraphQLError that has the code
 * as `extensions.code`, so that it reaches the client through a host's error masking. Other failures stay as they are.
 */
export function publisherForResolvers(publisher: ScopedPublisher): ScopedPublisher {
  return {
    async publish(event) {
      try {
        return await publisher.publish(event)
      } catch (error) {
        throw error instanceof SluiceError && clientCodes.has(error.code) ? error.toGraphQLError() : error
      }
    },
  }
}
