import type { ExecutionResult } from 'graphql'

export function isStream(result: unknown): result is AsyncIterable<ExecutionResult> {
  return typeof result === 'object' && result !== null && Symbol.asyncIterator in result
}

/** Ends a stream that nobody reads. What the hooks of other plugins throw meanwhile is thrown. */
export async function releaseStream(stream: AsyncIterable<ExecutionResult>): Promise<void> {
  await stream[Symbol.asyncIterator]().return?.()
}
