import type { GraphQLFormattedError } from 'graphql'
import { createClient, type RequestParams } from 'graphql-sse'
import { type NodeResponse, nodeFetch } from './node-fetch.ts'
import { recordSubscription, type Subscriber } from './subscriber.ts'

export interface SseClientOptions {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

/** A subscription over SSE with the released client of graphql-sse, in distinct connections mode. */
export function subscribeOverSse({ url, headers }: SseClientOptions, request: RequestParams): Subscriber {
  const client = createClient({ url, headers: { ...headers }, retryAttempts: 0, fetchFn: nodeFetch })
  return recordSubscription((sink) => {
    const error = async (failure: unknown): Promise<void> => sink.error((await errorsIn(failure)) ?? failure)
    return client.subscribe(request, { ...sink, error: (failure) => void error(failure) })
  })
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
