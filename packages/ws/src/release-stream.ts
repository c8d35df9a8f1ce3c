import type { SubscriptionExecutor } from '@sluice/core'
import { isAsyncIterable } from './is-async-iterable.ts'

/**
 * Ends a stream that nobody reads any more, whatever it is: a generator, an iterable that nobody iterated
 * yet, or no stream at all. Nobody waits for it, so what goes wrong is reported.
 */
export function releaseStream(stream: unknown, executor: Pick<SubscriptionExecutor, 'reportError'>): void {
  const report = (error: unknown) => executor.reportError(error)
  try {
    if (!isAsyncIterable(stream)) return
    const iterator: AsyncIterator<unknown> = canReturn(stream) ? stream : stream[Symbol.asyncIterator]()
    iterator.return?.(undefined).then(undefined, report)
  } catch (error) {
    report(error)
  }
}

function canReturn(stream: object): stream is AsyncIterator<unknown> {
  return typeof (stream as Partial<AsyncIterator<unknown>>).return === 'function'
}
