import type { ExecutionResult } from 'graphql'
import type { ResponseStream } from './response-stream.ts'

/** What all response streams do alike, whatever they are made of. */
export abstract class BaseResponseStream implements ResponseStream {
  abstract next(): Promise<IteratorResult<ExecutionResult, undefined>>
  abstract return(): Promise<IteratorResult<ExecutionResult, undefined>>

  async throw(error: unknown): Promise<IteratorResult<ExecutionResult, undefined>> {
    await this.return()
    throw error
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
