import { isAsyncIterable, isPromise, pushPast } from '@sluice/core'
import type { HostSubscriptions } from '@sluice/envelop'
import type { ExecutionResult } from 'graphql'
import type { Plugin } from 'graphql-yoga'
import type { AnyYogaServer } from './yoga-server.ts'

type OnParams = NonNullable<Plugin['onParams']>

/**
 * Yoga wraps the stream of a subscription once more, so that a failure of it is a last result with masked errors. Results
 * are pushed past that wrapping, which does nothing to them; a failure goes through it.
 */
export function directStreams(subscriptions: HostSubscriptions, yoga: () => AnyYogaServer | undefined): OnParams {
  return ({ context, paramsHandler, setParamsHandler }) => {
    // Where a plugin has put itself in between, it may want to see results.
    if (paramsHandler !== (yoga()?.handleParams as unknown)) return
    const direct = (result: ExecutionResult | AsyncIterable<ExecutionResult>) => {
      const stream = subscriptions.takeStream(context)
      return stream !== undefined && isAsyncIterable(result) ? pushPast(result, stream) : result
    }
    setParamsHandler((payload) => {
      const result = paramsHandler(payload)
      return isPromise(result) ? result.then(direct) : direct(result)
    })
  }
}
