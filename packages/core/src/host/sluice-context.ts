import type { ScopedPublisher } from '../scope/publisher.ts'

/** What resolvers find in their context, next to what the application put there: `AppContext & SluiceContext`. */
export interface SluiceContext {
  /** Publishes into the tenant of whoever asks; it finds out who that is when it is first used. */
  sluice: ScopedPublisher
}
