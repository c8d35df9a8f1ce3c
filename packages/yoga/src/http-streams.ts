import { isAsyncIterable } from '@sluice/core'
import { GraphQLError } from 'graphql'
import type { Plugin } from 'graphql-yoga'
import type { RequestLifetimes } from './request-lifetimes.ts'

/**
 * Keeps subscriptions from outliving the HTTP request that asked for them. Yoga itself forgets a stream of results
 * that it cannot answer with: where the client accepts no event stream, where it left while the subscription was
 * being started, in a batch, or where a hook failed afterwards.
 */
export function httpStreams(lifetimes: RequestLifetimes): Plugin {
  return {
    onSubscribe({ args }) {
      // Typed as what the application makes of it, and by Yoga's word always an object with the request.
      const context = args.contextValue as { request?: Request; socket?: unknown }
      const { request, socket } = context
      // Over WebSocket the socket takes care of it; and an application may run operations without a request.
      if (request?.signal === undefined || socket !== undefined) return undefined
      return {
        onSubscribeResult({ result }) {
          // The stream as it is here, before the hooks of others: one they wrap might not pass on that it is ended.
          if (isAsyncIterable(result)) lifetimes.of(request, context).set(result)
        },
      }
    },

    onResultProcess({ request, result, setResult }) {
      const lifetime = lifetimes.find(request)
      if (lifetime === undefined) return
      if (!Array.isArray(result)) {
        if (isAsyncIterable(result)) lifetime.set(result)
        return
      }
      const results: readonly unknown[] = result
      const streams = results.filter(isAsyncIterable)
      if (streams.length === 0) return
      setResult(result.map((each) => (isAsyncIterable(each) ? { errors: [notInBatch()] } : each)))
      for (const stream of streams) lifetime.set(stream)
      lifetime.end()
    },

    onResponse({ request, response }) {
      const lifetime = lifetimes.find(request)
      // Such as 406 Not Acceptable. Only now is it certain that no plugin knew how to write the results.
      if (lifetime !== undefined && !mayHoldStream(response)) lifetime.end()
    },
  }
}

function mayHoldStream(response: Response | undefined): boolean {
  if (response?.body == null) return false
  return !/^application\/(graphql-response\+)?json(;|$)/.test(response.headers.get('content-type') ?? '')
}

function notInBatch(): GraphQLError {
  return new GraphQLError('A subscription cannot be part of a batch. Send it in a request of its own.', {
    extensions: { code: 'BAD_REQUEST' },
  })
}
