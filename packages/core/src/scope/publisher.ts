import { SHARED } from '../bus/channel-key.ts'
import type { PublishReceipt } from '../bus/event-bus.ts'
import { SluiceError } from '../errors.ts'
import type { Counters } from '../counters.ts'
import type { EventDataOf } from '../register.ts'
import { askScope } from './ask-scope.ts'
import { resolveScope } from './resolve-scope.ts'
import type { Scope } from './scope.ts'

/** An event without a tenant: it goes to the publisher's. */
export interface ScopedEventInput<TChannel extends string = string, TType extends string = string> {
  /** 1 to 256 UTF-16 code units. */
  readonly channel: TChannel
  /** 1 to 256 UTF-16 code units. */
  readonly type: TType
  /** Anything that JSON can hold. */
  readonly data: EventDataOf<TChannel, TType>
  /** For this user of the tenant only. */
  readonly userId?: string | undefined
  /** Published once, however often it is retried with the same id. @default a new one */
  readonly eventId?: string | undefined
  /** Anything that travels with the event, such as a trace context. */
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** An event and the tenant whose it is. */
export interface EventInput<TChannel extends string = string, TType extends string = string>
  extends ScopedEventInput<TChannel, TType> {
  /** A tenant, or `SHARED` for a channel that all tenants share. */
  readonly tenantId: string | typeof SHARED
}

/** Publishes for one tenant, and cannot name another. */
export interface ScopedPublisher {
  /**
   * Resolves when the bus has accepted the event.
   *
   * @throws SluiceError FORBIDDEN if the event names another tenant than the scope's; UNAUTHENTICATED if there is
   * no scope; and what `executor.publish` throws.
   */
  publish<TChannel extends string, TType extends string>(
    event: ScopedEventInput<TChannel, TType>,
  ): Promise<PublishReceipt>
}

interface PublisherServices {
  readonly publish: (event: EventInput) => Promise<PublishReceipt>
  readonly counters: Counters
  /** How long a scope function may take. */
  readonly timeoutMs: number
}

/**
 * @param scope a scope, which is taken as it is now, or a function that finds it out: it is called on first use, once.
 */
export function createPublisher(
  scope: Scope | (() => unknown),
  { publish, counters, timeoutMs }: PublisherServices,
): ScopedPublisher {
  const resolve = async () =>
    (typeof scope === 'function' ? await askScope(scope, timeoutMs) : resolveScope(scope)).scope
  let resolved = typeof scope === 'function' ? undefined : resolve()
  // A scope that cannot be used is told to whoever publishes.
  resolved?.catch(() => undefined)

  return {
    async publish(event) {
      resolved ??= resolve()
      const { tenantId } = await resolved
      if (typeof event !== 'object' || event === null)
        throw new SluiceError('BAD_EVENT', 'An event has to be an object.')
      const named: unknown = Object.hasOwn(event, 'tenantId') ? Reflect.get(event, 'tenantId') : tenantId
      if (named !== tenantId && named !== undefined) {
        counters.rejectedTenant += 1
        const whom = named === SHARED ? 'a channel that all tenants share' : 'another tenant'
        throw new SluiceError(
          'FORBIDDEN',
          `A scoped publisher cannot publish to ${whom}. Use executor.publish on the server.`,
        )
      }
      counters.passed += 1
      return publish({ ...event, tenantId })
    },
  }
}
