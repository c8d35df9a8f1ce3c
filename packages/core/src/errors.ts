import { GraphQLError } from 'graphql'

/**
 * Every code that a {@link SluiceError} can carry. A client sees it as `extensions.code`.
 *
 * The codes are the contract; the messages may change.
 */
export const SluiceErrorCode = {
  /** The request is no subscription that can be started: its document, variables or ids are wrong. */
  BAD_SUBSCRIPTION: 'BAD_SUBSCRIPTION',
  /** The event cannot be published as it is: its channel, type, tenant or data is wrong. */
  BAD_EVENT: 'BAD_EVENT',
  /** The scope function names nobody. Without a tenant there is no subscription. */
  UNAUTHENTICATED: 'UNAUTHENTICATED',
  /** The scope does not allow it, for example publishing into another tenant. */
  FORBIDDEN: 'FORBIDDEN',
  /** No subscription has this id on this connection. */
  SUBSCRIPTION_NOT_FOUND: 'SUBSCRIPTION_NOT_FOUND',
  /** A subscription with this id already runs on this connection. */
  SUBSCRIPTION_EXISTS: 'SUBSCRIPTION_EXISTS',
  /** A limit on the number of subscriptions or connections is reached. */
  LIMIT_EXCEEDED: 'LIMIT_EXCEEDED',
  /** Too many requests in a period. */
  RATE_LIMITED: 'RATE_LIMITED',
  /** The reader was too slow: what waited for it was over the overflow limits. */
  SLOW_CONSUMER: 'SLOW_CONSUMER',
  /** The scope expired while the subscription ran. */
  EXPIRED: 'EXPIRED',
  /** The server ended the subscription on purpose. */
  REVOKED: 'REVOKED',
  /** The executor is shutting down; subscribe again, elsewhere. */
  DRAINING: 'DRAINING',
  /** The encoded event is larger than the bus takes. */
  EVENT_TOO_LARGE: 'EVENT_TOO_LARGE',
  /** One event took longer than `executionTimeoutMs` to execute for one group. */
  EXECUTION_TIMEOUT: 'EXECUTION_TIMEOUT',
  /** The bus did not take the event, or did not acknowledge the subscription, in time. Nothing was sent. */
  BUS_UNAVAILABLE: 'BUS_UNAVAILABLE',
  /** The connection broke while an event was under way. Publish again with the same `eventId`. */
  BUS_OUTCOME_UNKNOWN: 'BUS_OUTCOME_UNKNOWN',
  /** The bus was closed. */
  BUS_CLOSED: 'BUS_CLOSED',
  /** The history between the last event and now cannot be given whole. */
  HISTORY_GAP: 'HISTORY_GAP',
  /** An option, or the way in which the parts are put together, is wrong. The message names it. */
  BAD_CONFIG: 'BAD_CONFIG',
} as const

/** One of the values of {@link SluiceErrorCode}. */
export type SluiceErrorCode = (typeof SluiceErrorCode)[keyof typeof SluiceErrorCode]

const retryableByDefault: ReadonlySet<SluiceErrorCode> = new Set<SluiceErrorCode>([
  'BUS_UNAVAILABLE',
  'BUS_OUTCOME_UNKNOWN',
  'DRAINING',
  'RATE_LIMITED',
  'SLOW_CONSUMER',
])

/** What a {@link SluiceError} is made of, beside its code and message. */
export interface SluiceErrorOptions {
  /** What caused it. It is for `onError` and logs; it never reaches a client. */
  readonly cause?: unknown
  /** Whether doing the same again can succeed. @default by code: bus, drain, rate and slow-reader errors are */
  readonly retryable?: boolean
  /** The GraphQL errors behind a BAD_SUBSCRIPTION: what parsing, validation or coercion said. */
  readonly errors?: readonly GraphQLError[]
}

/**
 * The one public error class. Misuse throws it at once, a request error is in `{ errors }` with its code as
 * `extensions.code`, and a system failure ends the response stream with it.
 */
export class SluiceError extends Error {
  override readonly name = 'SluiceError'
  readonly code: SluiceErrorCode
  /** Whether doing the same again can succeed. */
  readonly retryable: boolean
  /** The GraphQL errors behind it, where there are any. */
  readonly errors: readonly GraphQLError[] | undefined

  constructor(code: SluiceErrorCode, message: string, options: SluiceErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.retryable = options.retryable ?? retryableByDefault.has(code)
    this.errors = options.errors
  }

  /** The code of a GraphQLError that came from a SluiceError; `undefined` of any other. */
  static codeOf(this: void, error: GraphQLError): SluiceErrorCode | undefined {
    const code = error.extensions['code']
    return typeof code === 'string' && Object.hasOwn(SluiceErrorCode, code) ? (code as SluiceErrorCode) : undefined
  }

  /**
   * What a client may see: message and code. It has no `originalError` on purpose, since hosts mask errors
   * that have one, and no cause.
   */
  toGraphQLError(): GraphQLError {
    return new GraphQLError(this.message, { extensions: { code: this.code } })
  }
}
