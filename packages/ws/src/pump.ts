import { SluiceError } from '@sluice/core'
import { type ExecutionResult, GraphQLError } from 'graphql'
import type { Operation } from './operation.ts'
import type { ResultSender } from './result-sender.ts'

/**
 * Pulls the results of a stream that cannot be pushed, one at a time, and sends them. While the socket is full
 * it does not pull: what comes then waits in the stream, within the stream's own bounds.
 *
 * @throws what the stream or a hook throws
 */
export async function pump(operation: Operation, stream: AsyncIterable<unknown>, sender: ResultSender): Promise<void> {
  const { connection } = operation
  const iterator: AsyncIterator<unknown, unknown> = stream[Symbol.asyncIterator]()
  // An iterable that is no generator knows nothing of its iterators, so the iterator is what has to be ended.
  if (!Object.is(iterator, stream)) operation.hold(iterator)
  let wasFull = false
  try {
    while (!operation.ended) {
      wasFull = connection.writer.isFull()
      if (wasFull) await connection.notFull()
      const { done, value } = await iterator.next()
      if (done === true) return operation.finish()
      // A host that masks errors gives the end of the stream as its last result.
      if (wasFull && isSlowConsumerResult(value)) return connection.disconnectSlowConsumer(true)
      await sender.send(value as ExecutionResult)
    }
  } catch (error) {
    // It overflowed while it waited for this socket: the others on it are just as slow.
    if (wasFull && !operation.ended && isSlowConsumer(error)) connection.disconnectSlowConsumer(true)
    else throw error
  }
}

function isSlowConsumer(error: unknown): boolean {
  return error instanceof GraphQLError && SluiceError.codeOf(error) === 'SLOW_CONSUMER'
}

function isSlowConsumerResult(result: unknown): boolean {
  const { data, errors } = result as ExecutionResult
  return data === undefined && errors?.length === 1 && errors.every(isSlowConsumer)
}
