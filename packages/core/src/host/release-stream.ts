import { asPushStream } from '../delivery/hooked-stream.ts'
import type { EndReason } from '../metrics.ts'
import { isAsyncIterable } from './is-async-iterable.ts'

/**
 * Ends a stream that nobody reads any more, whatever it is: one of the executor's, a generator, an iterator, an iterable
 * that nobody iterated yet, or no stream at all. Resolves when it has released itself; what goes wrong is reported, and never
 * rejects.
 *
 * @param reason why, for the metrics: its reader is gone, unless the transport knows better.
 */
export async function releaseStream(
  stream: unknown,
  { reportError }: { readonly reportError: (error: unknown) => void },
  reason: EndReason = 'client',
): Promise<void> {
  try {
    const own = asPushStream(stream)
    if (own !== undefined) return own.abandon(reason)
    if (canReturn(stream)) await stream.return(undefined)
    else if (isAsyncIterable(stream)) await stream[Symbol.asyncIterator]().return?.(undefined)
  } catch (error) {
    reportError(error)
  }
}

function canReturn(stream: unknown): stream is Required<AsyncIterator<unknown>> {
  return typeof (stream as Partial<AsyncIterator<unknown>> | null | undefined)?.return === 'function'
}
