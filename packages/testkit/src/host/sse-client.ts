import type { GraphQLFormattedError } from 'graphql'
import { type Client, createClient, type RequestParams } from 'graphql-sse'
import type { SubscribePayload } from 'graphql-ws'
import { type NodeResponse, nodeFetch } from './node-fetch.ts'
import { type RecordingSink, recordSubscription, type Subscriber } from './subscriber.ts'

export interface SseClientOptions {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

/** The released client of graphql-sse, in distinct connections mode. It tries nothing twice. */
export function sseClient({ url, headers }: SseClientOptions): Client {
  return createClient({ url, headers: { ...headers }, retryAttempts: 0, fetchFn: nodeFetch })
}

/** A subscription over SSE of a client of its own. */
export function subscribeOverSse(options: SseClientOptions, request: RequestParams): Subscriber {
  const client = sseClient(options)
  return recordSubscription((sink) => client.subscribe(request, readingResponses(sink)))
}

/** The request of graphql-sse, whose types want what is not there to be left out. */
export function requestParamsOf({ query, variables, operationName, extensions }: SubscribePayload): RequestParams {
  return {
    query,
    ...(variables != null && { variables }),
    ...(operationName != null && { operationName }),
    ...(extensions != null && { extensions }),
  }
}

/** A sink that is told of the GraphQL errors in a response where the library tells only of the response. */
export function readingResponses(sink: RecordingSink): RecordingSink {
  let failed = false
  const read = async (failure: unknown): Promise<void> => sink.error((await errorsIn(failure)) ?? failure)
  return {
    next: (result) => sink.next(result),
    error(failure) {
      failed = true
      void read(failure)
    },
    complete() {
      if (!failed) sink.complete()
    },
  }
}

/** A host may answer a wrong request with an HTTP status and the GraphQL errors in the body. */
async function errorsIn(failure: unknown): Promise<readonly GraphQLFormattedError[] | undefined> {
  if (typeof failure !== 'object' || failure === null || !('response' in failure)) return undefined
  try {
    const text = await (failure.response as NodeResponse).text()
    const json = text.startsWith('{')
      ? text
      : text
          .split('\n')
          .find((line) => line.startsWith('data: {'))
          ?.slice('data: '.length)
    const body: unknown = JSON.parse(json ?? 'null')
    return typeof body === 'object' && body !== null && 'errors' in body && Array.isArray(body.errors)
      ? (body.errors as GraphQLFormattedError[])
      : undefined
  } catch {
    return undefined
  }
}
