import type { FormattedExecutionResult, GraphQLFormattedError } from 'graphql'

/** A result as a client gets it. */
export type ClientResult = FormattedExecutionResult<Record<string, unknown>, Record<string, unknown>>

/** How a subscription ended: with `complete`, refused with GraphQL errors, or because its connection broke. */
export type SubscriptionEnd =
  | { readonly kind: 'complete' }
  | { readonly kind: 'errors'; readonly errors: readonly GraphQLFormattedError[] }
  | { readonly kind: 'broken'; readonly error: unknown }

/** A subscription of a client that writes down what it gets, and can be waited for. */
export interface Subscriber {
  /** Everything that came, in order. */
  readonly results: readonly ClientResult[]
  /** How it ended; `undefined` while it runs. */
  readonly end: SubscriptionEnd | undefined
  /** Resolves when it ended, by whomever. */
  readonly ended: Promise<SubscriptionEnd>
  /** Resolves when so many results have come; rejects if it ends with fewer. */
  received(count: number): Promise<readonly ClientResult[]>
  /** Resolves with the GraphQL errors for which it was not started, however the transport tells of them. */
  refused(): Promise<readonly GraphQLFormattedError[]>
  /** The client ends it. */
  complete(): void
}

/** What a client library reports to. */
export interface RecordingSink {
  next(result: unknown): void
  error(error: unknown): void
  complete(): void
}

/** Makes a subscriber of whatever takes a sink and gives what ends the subscription. */
export function recordSubscription(subscribe: (sink: RecordingSink) => () => void): Subscriber {
  const results: ClientResult[] = []
  const waiting = new Set<() => void>()
  let end: SubscriptionEnd | undefined
  let tellEnd: (end: SubscriptionEnd) => void = () => {}
  const ended = new Promise<SubscriptionEnd>((resolve) => {
    tellEnd = resolve
  })
  const finish = (how: SubscriptionEnd): void => {
    if (end !== undefined) return
    end = how
    tellEnd(how)
    for (const check of waiting) check()
  }
  const dispose = subscribe({
    next(result) {
      results.push(result as ClientResult)
      for (const check of waiting) check()
    },
    error(error) {
      finish(
        Array.isArray(error) ? { kind: 'errors', errors: error as GraphQLFormattedError[] } : { kind: 'broken', error },
      )
    },
    complete: () => finish({ kind: 'complete' }),
  })

  return {
    results,
    get end() {
      return end
    },
    ended,
    received(count) {
      return new Promise((resolve, reject) => {
        const check = (): void => {
          if (results.length < count && end === undefined) return
          waiting.delete(check)
          if (results.length >= count) resolve(results)
          else
            reject(new Error(`it ended with ${results.length} of ${count} results: ${JSON.stringify([end, results])}`))
        }
        waiting.add(check)
        check()
      })
    },
    async refused() {
      const how = await ended
      if (how.kind === 'errors') return how.errors
      const [only, ...more] = results
      if (
        how.kind !== 'complete' ||
        only === undefined ||
        more.length > 0 ||
        only.data != null ||
        only.errors === undefined
      ) {
        throw new Error(`it was not refused: ${JSON.stringify([how, results])}`)
      }
      return only.errors
    },
    complete: dispose,
  }
}
