import type { Client, OperationResult } from '@urql/core'
import { onEnd, pipe, subscribe } from 'wonka'
import { readingResponses } from '../sse-client.ts'
import { type RecordingSink, recordSubscription, type Subscriber } from '../subscriber.ts'
import type { RealClientRequest } from './real-client.ts'

type Result = OperationResult<Record<string, unknown>>

/** A subscription of an urql client, whatever its exchanges. It ends where `useSubscription` stops fetching. */
export function subscribeWithUrql(client: Client, { query, variables }: RealClientRequest): Subscriber {
  return recordSubscription((recording) => {
    const sink = readingResponses(recording)
    const { unsubscribe } = pipe(
      client.subscription<Record<string, unknown>>(query, variables),
      onEnd(() => sink.complete()),
      subscribe((result) => tell(result, sink)),
    )
    return unsubscribe
  })
}

/** Errors are a result's, also those of a refusal and of a broken connection. */
function tell({ data, error, hasNext }: Result, sink: RecordingSink): void {
  if (error?.networkError !== undefined) {
    sink.error(error.networkError)
  } else if (hasNext) {
    const errors = error?.graphQLErrors.map(({ message, path, extensions }) => ({ message, path, extensions }))
    sink.next({ data, errors })
  }
  // Else it is what urql gives when the server completes: the last result once more.
}
